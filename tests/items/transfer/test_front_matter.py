"""Front matter as people and editors write it."""

import pytest

from items.transfer import front_matter, markdown
from items.transfer.front_matter import HEAD_MAX_LENGTH, InvalidFrontMatter
from items.transfer.records import ItemRecord
from tests.items.transfer.records import line

ITEM = """\
---
# By hand, in another order.
title: My title # not a part of it
id: 00000000-0000-0000-0000-000000000001
summary: >
  What tides do,
  over two lines.
tags:
  - tides
  - 'the moon'
sourceType: NOTE
status: ARCHIVED
enrichmentMode: "AI"
enrichmentError:
createdAt: 2026-11-01T10:00:00Z
updatedAt: 2026-11-01 11:00:00Z
confirmedAt: 2026-11-01T12:00:00+01:00
---
Tides rise.

They fall.
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("---\n", "--- \t\n"),
        ("---\n", "---  \r\n"),
        ("# By hand", "\n\n# By hand"),
        ("tags:\n  - tides\n  - 'the moon'", "tags: [tides, the moon]"),
        ("tags:\n  - tides\n  - 'the moon'", "tags:\n- tides\n- the moon"),
        ("enrichmentError:", "enrichmentError: ~"),
        ("enrichmentError:", "enrichmentError: null"),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_edited_item_is_read(old: str, new: str, mark: str) -> None:
    record = markdown.parse((mark + ITEM.replace(old, new)).encode())

    assert (record.title, record.summary) == ("My title", "What tides do, over two lines.")
    assert record.tags == ["tides", "the moon"]
    assert record.enrichment_error is None
    assert record.raw_text == "Tides rise.\n\nThey fall."


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_export_that_an_editor_saved_is_the_same_item(line_end: str) -> None:
    record = ItemRecord.parse(line(rawText="Tides rise.\n---\nThey fall.\n"))

    saved = markdown.dump(record).replace(b"\n", line_end.encode())

    assert markdown.parse(b"\xef\xbb\xbf" + saved) == record


@pytest.mark.parametrize("text", ["2026", "2026-11-01", "1e3", "0x1F", "true", "no", "1:30", ".inf", "Null", "=", "<<"])
def test_plain_text_stays_a_text(text: str) -> None:
    found, _ = front_matter.split(f"---\ntitle: {text}\n---\n")

    assert found is not None
    assert found.fields == {"title": text}


@pytest.mark.parametrize(
    "text", ["", "title: none\n---\n", "----\ntitle: none\n---\n", "---\ntitle: none\n", "\n---\n---\n"]
)
def test_text_without_front_matter_stays_whole(text: str) -> None:
    assert front_matter.split(text) == (None, text)


def test_empty_front_matter_has_no_fields() -> None:
    assert front_matter.split("---\n# only a comment\n---\ntext") == (front_matter.FrontMatter(), "text")


@pytest.mark.parametrize(
    "head",
    [
        "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n",
        "<<: *a\n",
        "a: !!python/object/apply:os.system [id]\n",
        "a: !secret b\n",
        "a: " + "[" * 40_000,
        "{a: " * 10_000,
        "- " * 20_000,
        "? " * 20_000,
        "a: \x00\n",
        "a: \ud800\n",
        "a: 1\na: 2\n",
        "%TAG ! tag:secret\n",
        "x" * (HEAD_MAX_LENGTH + 1),
    ],
    ids=range(13),
)
def test_hostile_front_matter_is_refused(head: str) -> None:
    with pytest.raises(InvalidFrontMatter) as refused:
        front_matter.split(f"---\n{head}\n---\n")

    assert "secret" not in str(refused.value)
    assert refused.value.line in {1, 2, 3, 4}
