"""No content of a foreign file raises an error, or becomes a record that breaks the rules."""

import json

from django.contrib.auth.models import User
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from items.texts import refusal
from items.transfer.conversion import Conversion
from items.transfer.foreign import FORMATS
from items.transfer.formats.entry import Entry, ForeignFile, NotAnExport, Omitted
from items.transfer.importing import FoundRecord
from items.transfer.records import ItemRecord
from items.transfer.sources import Refused

PIECES = [
    "---\n", "title: ", "tags: [a, ", "- ", "&a ", "*a ", "!x ", "|\n  ", "url,title\n", '"', ",", "\n", "\r\n",
    "<a href=", "'x'", ">", "<", "</a>", "<dd>", "<dt>", "<h3>", "<!--", "-->", "&amp;", "&#0;", "&#xD800;",
    "tags='a,b'", "add_date=1", "\x00", "\x1b", "\ufeff", "\u2028", "\udcff",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=60)
NAMES = [
    "title", "content", "url", "text", "note", "tags", "createdAt", "links", "name", "description", "importDate",
    "type", "lists", "archived", "rssSubscriptions",
]  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
)
ENTRIES = st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8), max_size=3)

# A loaded machine may be slow.
WITHOUT_CLOCK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(source: str, text: str) -> None:
    conversion = Conversion(source=source, owner=User(pk=1))
    try:
        for found in FORMATS[source].read(ForeignFile(text)):
            assert isinstance(found, Entry | Refused | Omitted)
            for made in conversion.record(found, origin="") if isinstance(found, Entry) else ():
                assert isinstance(made, FoundRecord | Refused | Omitted)
                if isinstance(made, FoundRecord):
                    assert refusal(made.record.raw_text) is None
                    assert ItemRecord.parse(made.record.model_dump_json(by_alias=True)) == made.record
    except NotAnExport:
        pass


@WITHOUT_CLOCK
@given(st.sampled_from(sorted(FORMATS)), TEXTS)
def test_any_text_is_read(source: str, text: str) -> None:
    check(source, text)


@WITHOUT_CLOCK
@given(ENTRIES, VALUES)
@example([{"type": [], "name": "a"}], None)
@example([{"createdAt": {"a": 1}, "content": {"url": "https://a"}}], None)
def test_any_json_is_read(entries: list[dict[str, object]], other: object) -> None:
    check("karakeep", json.dumps({"bookmarks": entries, "lists": other}))
    check(
        "linkwarden", json.dumps({"collections": [{"links": entries, "rssSubscriptions": other}], "pinnedLinks": other})
    )
