"""Content in parts is read as one text."""

from typing import Any

import pytest

from enrichment.providers.content_parts import reading_parts, text_of_parts


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, None),
        ("", ""),
        ("a text", "a text"),
        ([], ""),
        ([{"type": "text", "text": "a "}, {"type": "text", "text": "text"}], "a text"),
        ([{"type": "thinking", "thinking": "Hm."}, {"type": "output_text", "text": "a text"}], "a text"),
        (["a ", "text", None, 5, {"text": None}, {"text": ["x"]}], "a text"),
        ({"title": "é"}, '{"title": "\\u00e9"}'),
        (5, None),
    ],
)
def test_texts_of_the_parts_are_joined(content: object, text: str | None) -> None:
    assert text_of_parts(content) == text


def test_message_class_gets_the_text() -> None:
    class Message:
        def __init__(self, content: Any, role: str = "user", **fields: Any) -> None:
            self.got = (content, role, fields)

    read: Any = reading_parts(Message.__init__)
    message: Any = Message.__new__(Message)
    read(message, ["a", "b"], "assistant", x=1)

    assert message.got == ("ab", "assistant", {"x": 1})
