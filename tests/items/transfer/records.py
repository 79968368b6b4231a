"""Records with any content."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import strategies as st

from items.states import EnrichmentMode, SourceType, Status
from items.texts import InvalidText, clean_summary, clean_tag, clean_title, refusal
from items.transfer.records import ItemRecord

# Texts that parsers have misread: booleans, dates and indicators of YAML, escapes of JSON, line breaks.
TRAPS = [
    "---", "---\ntitle: no\n---\n", "no", "null", "~", "2026-01-01", "0x10", "1e3", "- a", "a: b", "#", "'", '"', "{}",
    "&a", "*a", "!!python/object:os.system", "%", "@", "`", "|\n", ">\n", "a\r\nb\rc\n", "\n", "  x  ", "\t", "\x85",
    "\u2028", "\ufeff", "\x7f", "\x1b[31m", "\u202e", "😀", "e\u0301", "\\", "\\u0041", "\uffff", "\U0010ffff",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(TRAPS), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2 * 10**17).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))


def accepted(clean: Callable[[str], object]) -> st.SearchStrategy[str]:
    """Generate short texts that this rule accepts."""

    def is_accepted(text: str) -> bool:
        try:
            clean(text)
        except InvalidText:
            return False
        return True

    return TEXTS.map(lambda text: text[:50]).filter(is_accepted)


TITLES, SUMMARIES, TAGS = accepted(clean_title), accepted(clean_summary), accepted(clean_tag)


@st.composite
def records(draw: st.DrawFn) -> ItemRecord:
    """Generate any record that the rules accept."""
    status = draw(st.sampled_from(Status))
    is_ready, is_failed = status == Status.READY_TO_CONFIRM, status == Status.FAILED
    missing = st.nothing() if is_ready else st.none()
    error = TEXTS.map(lambda text: f"LLM_TIMEOUT: .{text[:50]}")
    types = st.sampled_from(SourceType)
    return ItemRecord(
        id=draw(st.uuids()),
        title=draw(missing | TITLES),
        summary=draw(missing | SUMMARIES),
        tags=draw(st.lists(TAGS, min_size=int(is_ready), max_size=5)),
        source_type=draw(types if is_ready else st.none() | types),
        status=status,
        enrichment_mode=draw(st.sampled_from(EnrichmentMode)),
        enrichment_error=draw(error if is_failed else st.none() | error),
        created_at=draw(MOMENTS),
        updated_at=draw(MOMENTS),
        confirmed_at=draw(MOMENTS if status == Status.ARCHIVED else st.none() | MOMENTS),
        raw_text=draw(TEXTS.filter(lambda text: refusal(text) is None)),
    )


def line(**changes: object) -> bytes:
    """Return a line of an archived item, with changes."""
    fields: dict[str, object] = {
        "id": str(uuid4()),
        "title": "Tides",
        "summary": "What tides do.",
        "tags": ["tides"],
        "sourceType": "NOTE",
        "status": "ARCHIVED",
        "enrichmentMode": "AI",
        "enrichmentError": None,
        "createdAt": "2026-11-01T10:00:00.123456Z",
        "updatedAt": "2026-11-01T11:00:00Z",
        "confirmedAt": "2026-11-01T12:00:00+01:00",
        "rawText": "Tides rise and fall.",
    }
    return (
        json.dumps({name: value for name, value in {**fields, **changes}.items() if value is not ...}).encode() + b"\n"
    )
