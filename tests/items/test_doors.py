"""Every way in has the same rules: it stores the same value, or refuses it and names the field.

Where a way in differs by its nature, `CANNOT_CARRY` and `as_sent` say how. The model's draft is tidied instead of
refused, so that it always is a value that the others accept unchanged.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pydantic
import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from pytest_django import Settings

from enrichment.schemas import EnrichmentSchema
from items import texts
from items.api.forms import line_of
from items.models import Item
from items.states import Status
from items.texts import SUMMARY_MAX_LENGTH, TAG_MAX_LENGTH, TAGS_MAX_COUNT, TITLE_MAX_LENGTH
from items.transfer.importing import FoundRecord, ImportSummary, import_records
from items.transfer.records import InvalidRecord, ItemRecord
from tests.items.admin.pages import detail, form_of
from tests.items.admin.staff import EVERY_VERB, staff_client
from tests.items.api.client import Api
from tests.items.factories import make_item
from tests.items.transfer.commands import capture
from tests.items.transfer.records import line

pytestmark = pytest.mark.slow

TEXT_MAX_LENGTH = 10_000
"""Lower than usual, which saves time."""

REFUSED = "refused"
FORM = "application/x-www-form-urlencoded"
PIECES = [
    "a", "B", " ", "\u00a0", "\t", "\n", "\r\n", "\x85", "\u2028", "\x00", "\x07", "\x1b[31m", "---", "#", ",", '"',
    "é", "e\u0301", "ß", "ẞ", "İ", "ς", "Σ", "ﬁ", "한", "\u1112\u1161\u11ab", "\u06dd", "می\u200cروم",
    "\u200b", "\ufeff", "\u00ad", "\u200d", "\ufe0f", "\u202e", "\u2800", "\u3164", "\ud800", "\udbff", "\U0010ffff",
    "👩‍👩‍👧", "👍🏽", "❤️", "🇩🇪", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]  # fmt: skip
RULES: dict[str, Callable[[Any], Any]] = {
    "rawText": texts.clean_raw_text,
    "title": texts.clean_title,
    "summary": texts.clean_summary,
    "tags": texts.clean_tags,
}
COLUMNS = {"rawText": "raw_text"}
Verdict = tuple[str, object]
Door = Callable[[str, Any], Verdict]

LINE_END = re.compile(r"\r\n?|\n")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
CANNOT_CARRY: dict[str, Callable[[str, Any], bool]] = {
    # UTF-8 has no surrogates. Tags stand on one line between commas, or on a line each.
    "form": lambda field, value: _has(LONE_SURROGATE, value) or (field == "tags" and _has(LINE_END, value)),
    "admin": lambda field, value: _has(LONE_SURROGATE, value) or (field == "tags" and _has(LINE_END, value)),
    # A file with a NUL is binary, and a byte order mark at its beginning names its encoding.
    "file": lambda _field, value: _has(LONE_SURROGATE, value) or "\x00" in value or value.startswith("\ufeff"),
}


@pytest.fixture(autouse=True)
def low_limit(settings: Settings) -> None:
    settings.TEXT_MAX_LENGTH = TEXT_MAX_LENGTH


def texts_up_to(limit: int) -> st.SearchStrategy[str]:
    """Generate short texts, and some at the limit."""
    short = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
    lengths = st.sampled_from([limit // 2, limit - 1, limit, limit + 1])
    return short | st.builds(lambda piece, length: piece * length, st.sampled_from("xé"), lengths)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "rawText": texts_up_to(TEXT_MAX_LENGTH),
    "title": texts_up_to(TITLE_MAX_LENGTH),
    "summary": texts_up_to(SUMMARY_MAX_LENGTH),
    "tags": st.lists(texts_up_to(TAG_MAX_LENGTH), min_size=1, max_size=4)
    | st.integers(TAGS_MAX_COUNT - 1, TAGS_MAX_COUNT + 1).map(lambda count: [f"tag {n}" for n in range(count)]),
}


def _has(pattern: re.Pattern[str], value: Any) -> bool:
    return any(pattern.search(text) for text in ([value] if isinstance(value, str) else value))


def expected(field: str, value: Any) -> Verdict:
    try:
        return "stored", RULES[field](value)
    except texts.InvalidText:
        return REFUSED, field


def as_sent(door: str, field: str, value: Any) -> Any:
    """Return the value as this way in carries it: line ends become one line feed, and a line without a tag is none."""
    if door not in ("form", "admin"):
        return value
    return [tag for tag in value if tag.strip()] if field == "tags" else LINE_END.sub("\n", value)


def stored(item: Item, field: str) -> Verdict:
    item.refresh_from_db()
    return "stored", getattr(item, COLUMNS.get(field, field))


class Doors:
    """Each way in sends one value of one field."""

    def __init__(self, owner: User, folder: Path) -> None:
        self.owner, self.folder = owner, folder
        self.api, self.reviewer = Api(owner), staff_client("reviewer", *EVERY_VERB)
        self.item = make_item(owner, status=Status.READY_TO_CONFIRM)

    def of(self, field: str) -> Iterator[tuple[str, Door]]:
        yield "json", partial(self._by_api, self._json)
        yield "form", partial(self._by_api, self._form)
        yield "import", self._by_import
        yield from [("file", self._by_file)] if field == "rawText" else [("admin", self._by_admin)]

    def _by_api(self, send: Callable[[str, str, dict[str, Any]], Any], field: str, value: Any) -> Verdict:
        if field == "rawText":
            response = send("POST", "/items", {field: value})
        else:
            self._forget()
            response = send("PATCH", f"/items/{self.item.pk}", {field: value})
        if response.status_code == 400:
            (problem,) = response.json()["error"]["details"]["fields"]
            return REFUSED, problem["field"]
        assert response.status_code in (200, 201), response.content
        return stored(Item.objects.get(pk=response.json()["id"]), field)

    def _json(self, method: str, path: str, values: dict[str, Any]) -> Any:
        return self.api.raw(method, path, json.dumps(values).encode())

    def _form(self, method: str, path: str, values: dict[str, Any]) -> Any:
        values = {
            name: line_of(value) if isinstance(value, list) else LINE_END.sub("\r\n", value)
            for name, value in values.items()
        }
        return self.api.raw(method, path, urlencode(values).encode(), content_type=FORM)

    def _by_admin(self, field: str, value: Any) -> Verdict:
        self._forget()
        value = "\r\n".join(value) if isinstance(value, list) else LINE_END.sub("\r\n", value)
        page = detail(self.item)
        response = self.reviewer.post(page, {**form_of(self.reviewer, self.item), field: value, "_save": ""})
        if response.status_code == 200:
            (name,) = response.context["adminform"].form.errors
            return REFUSED, name
        return stored(self.item, field)

    def _forget(self) -> None:
        """A form that sends back what its page showed changes nothing, even if the rules would refuse it."""
        Item.objects.filter(pk=self.item.pk).update(title="before", summary="Before.", tags=["before"], tag_keys=None)

    def _by_import(self, field: str, value: Any) -> Verdict:
        try:
            record = ItemRecord.parse(line(**{field: value}))
        except InvalidRecord as error:
            ((name, _),) = error.problems
            # Lone surrogates are not even JSON.
            return REFUSED, name or (field if _has(LONE_SURROGATE, value) else "")
        summary = ImportSummary()
        import_records([FoundRecord("line 1", record)], summary, owner=self.owner)
        assert summary.imported == 1
        return stored(Item.objects.get(pk=record.id), field)

    def _by_file(self, field: str, value: Any) -> Verdict:
        path = self.folder / "text"
        path.write_bytes(value.encode())
        before = set(Item.objects.values_list("pk", flat=True))
        try:
            capture(path, owner="owner")
        except SystemExit:
            return REFUSED, field
        return stored(Item.objects.exclude(pk__in=before).get(), field)


@pytest.fixture
def doors(owner: User, tmp_path: Path) -> Doors:
    return Doors(owner, tmp_path)


def each_value(field: str) -> Callable[[Any], Any]:
    def decorated(test: Any) -> Any:
        checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        return settings(max_examples=30, deadline=None, suppress_health_check=checks)(given(value=VALUES[field])(test))

    return decorated


def agree(doors: Doors, field: str, value: Any) -> None:
    for name, door in doors.of(field):
        if name in CANNOT_CARRY and CANNOT_CARRY[name](field, value):
            continue
        sent = as_sent(name, field, value)
        if sent:
            assert door(field, sent) == expected(field, sent), name


@each_value("rawText")
@example(value="\u200b\u00ad")
@example(value="a\x00b")
@example(value="\ud800")
def test_every_door_agrees_on_texts(doors: Doors, value: str) -> None:
    agree(doors, "rawText", value)
    Item.objects.exclude(pk=doors.item.pk).delete()


@pytest.mark.thorough
@each_value("title")
@example(value="a\nb")
@example(value="\u2800\u200b")
@example(value="👍" * TITLE_MAX_LENGTH)
@example(value="a\ud800")
def test_every_door_agrees_on_titles(doors: Doors, value: str) -> None:
    agree(doors, "title", value)


@pytest.mark.thorough
@each_value("summary")
@example(value="a\nb")
@example(value="a\na")
@example(value="a\r\na")
@example(value="\ufeff")
@example(value="a\x00")
def test_every_door_agrees_on_summaries(doors: Doors, value: str) -> None:
    agree(doors, "summary", value)


@pytest.mark.thorough
@each_value("tags")
@example(value=["Straße", "STRASSE", "cafe\u0301", "caf\u00e9", "ca\u00adfé"])
@example(value=["İ" * 26])
@example(value=["ﬀ" * TAG_MAX_LENGTH, "❤️", "❤"])
@example(value=["a", "\u200b"])
@example(value=["a\x07b"])
def test_every_door_agrees_on_tags(doors: Doors, value: list[str]) -> None:
    agree(doors, "tags", value)


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "title": VALUES["title"],
            "summary": VALUES["summary"],
            "tags": st.lists(texts_up_to(TAG_MAX_LENGTH), min_size=4, max_size=6),
        }
    )
)
def test_draft_is_what_every_door_accepts(value: dict[str, Any]) -> None:
    try:
        draft = EnrichmentSchema(**value, source_type="NOTE").model_dump()
    except pydantic.ValidationError:
        reject()  # the model is asked again

    assert {field: RULES[field](draft[field]) for field in value} == {field: draft[field] for field in value}


@settings(max_examples=100, deadline=None)
@given(VALUES["rawText"].filter(lambda text: texts.refusal(text) is None))
@example("---\n\u200b\n# ")
@example("\x1b[31m")
@example("\x07\ufeff👩‍👩‍👧" * 30)
def test_title_of_a_manual_capture_is_what_every_door_accepts(raw_text: str) -> None:
    title = texts.first_line(raw_text)

    assert texts.clean_title(title) == title
