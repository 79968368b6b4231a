"""The texts that may be captured."""

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.texts import Refusal, refusal


@pytest.mark.parametrize("text", ["a", " a ", "x" * 100_000, "👩‍🚀", "line\r\nline\x07"])
def test_valid_text_is_accepted(owner: User, text: str) -> None:
    assert refusal(text) is None

    item = Item.objects.capture(owner=owner, raw_text=text)

    item.refresh_from_db()
    assert item.raw_text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", Refusal.BLANK),
        (" \t\r\n\u00a0\u2003", Refusal.BLANK),
        ("x" * 100_001, Refusal.TOO_LONG),
        ("a\x00b", Refusal.NUL),
        ("a\ud800b", Refusal.SURROGATE),
    ],
)
def test_text_is_refused_with_its_reason(text: str, why: Refusal) -> None:
    assert refusal(text) is why
