"""A draft is found wherever a model put it, and hostile text does no harm."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.providers.drafts_in_text import MOST_FAILURES, draft_in, is_whole, objects_in

DRAFT = {"title": "A walk", "summary": "Somebody walks.", "tags": ["river", "herons"], "source_type": "NOTE"}
JSON = json.dumps(DRAFT)
OTHER = json.dumps(DRAFT | {"title": "Another"})
DOTS = '{"title": "...", "summary": "…", "tags": ["..."], "source_type": "NOTE"}'
SCHEMA = '{"title": "Draft", "properties": {"title": {"type": "string"}, "summary": {}, "tags": {}}}'

VALUES = st.text(max_size=30)
DRAFTS = st.fixed_dictionaries(
    {"title": st.just("T") | VALUES.map("T{}".format), "summary": VALUES.map("S{}".format), "tags": st.lists(VALUES)}
)
PROSE = st.text(st.characters(exclude_characters='{}"'), max_size=50)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["title", "TAGS", "x"]) | st.text(), inner),
    max_leaves=10,
)
FRAGMENTS = st.lists(st.sampled_from(['{"title"', ":", '"a"', "{", "}", "[", "]", ",", '"', "\\", "1", "x", JSON]))


def test_whole_draft_is_returned_with_its_fields_alone() -> None:
    assert draft_in(json.dumps(DRAFT | {"confidence": 0.9, "meta": {"title": "x"}})) == DRAFT


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{JSON}\n```",
        f"``` {JSON} ```",
        f"Here it is: {JSON}. I hope it helps!",
        f"I was {{asked}} for {{this}} {JSON} {{or that}}",
        f'It said {{"hello}} and then {JSON}',
        f"So I think\n</think>\n{JSON}",
        f"<think>{OTHER}</think>{JSON}",
        f"{OTHER} No, better: {JSON}",
        f"{JSON} in the format {DOTS}",
        f"{JSON} for the schema {SCHEMA}",
        f'{JSON} {{"confidence": 1}}',
        f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{JSON}<|return|>",
        f"[{JSON}]",
        json.dumps(JSON),
        f"\n {json.dumps(JSON)}",
        json.dumps({"Draft": DRAFT}),
        json.dumps({"properties": DRAFT, "title": "Draft", "type": "object"}),
        json.dumps({"name": "Draft", "parameters": DRAFT}),
        json.dumps({"name": "Draft", "arguments": DRAFT}),
        json.dumps({"name": "Draft", "arguments": JSON}),
        json.dumps({key.upper(): value for key, value in DRAFT.items()}),
        json.dumps({"Title": "A walk", "summary ": "Somebody walks.", "Tags": DRAFT["tags"], "sourceType": "NOTE"}),
        json.dumps({"title": "A walk", "summary": "Somebody walks.", "tags": DRAFT["tags"], "Source-Type": "NOTE"}),
        JSON.replace("}", ",}").replace("]", " , \n]"),
        f"Trailing, }} commas, ] here {JSON.replace('}', ',}')}",
        f'"Quoted" {JSON}',
        JSON.replace(": ", "\n:\t"),
    ],
)
def test_draft_is_found(text: str) -> None:
    assert draft_in(text) == DRAFT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"title": "two\nlines\tand \x00"}', {"title": "two\nlines\tand \x00"}),
        (
            '{"title": 1984, "tags": [3.10, 1e5, NaN, true, null, {}, ["x"], "a"]}',
            {"title": "1984", "tags": ["3.10", "1e5", "a"]},
        ),
        ('{"title": ["a", 5], "summary": {"b": 1}}', {"title": ["a", "5"], "summary": None}),
        ('{"title": "a", "tags": "b, c"}', {"title": "a", "tags": "b, c"}),
        ('{"title": "a, ]", "tags": ["b",]}', {"title": "a, ]", "tags": ["b"]}),
        ('{"title": "a \\", ]", "tags": ["b",]}', {"title": 'a ", ]', "tags": ["b"]}),
        ('{"title": "a"} {"title": "b"}', {"title": "b"}),
        (f'{DOTS} {{"title": "b"}}', {"title": "b"}),
        ('{"x": {"title": "a"}, "y": {"title": "b", "tags": []}}', {"title": "b", "tags": []}),
        ('{"title": "a", "x": {"title": "b"}}', {"title": "a"}),
        ('{"title": ' + "9" * 5000 + "}", {"title": "9" * 5000}),
    ],
)
def test_fields_are_read(text: str, found: dict[str, Any]) -> None:
    assert draft_in(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        '"',
        '"text"',
        "plain text",
        "{}",
        "{asked}",
        '{"error": "no"}',
        '{"title"',
        '["title"]',
        '{"title": "a"',
        "\ufeff",
    ],
)
def test_text_without_a_draft_gives_none(text: str) -> None:
    assert draft_in(text) is None


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ({}, True),
        ({"tags": None}, True),
        ({"source_type": None}, True),
        ({"title": None}, False),
        ({"title": "..."}, False),
        ({"title": " … "}, False),
        ({"summary": ""}, False),
        ({"summary": ["a"]}, False),
    ],
)
def test_whole_draft_has_texts(changes: dict[str, Any], *, whole: bool) -> None:
    assert is_whole(DRAFT | changes) is whole


@pytest.mark.parametrize("field", ["title", "summary", "tags"])
def test_draft_without_a_field_is_not_whole(field: str) -> None:
    assert not is_whole({name: value for name, value in DRAFT.items() if name != field})


WRAPPINGS: list[Callable[[dict[str, Any]], str]] = [
    json.dumps,
    lambda draft: json.dumps(draft, indent=4, ensure_ascii=False),
    lambda draft: json.dumps(json.dumps(draft)),
    lambda draft: json.dumps({"Draft": draft}),
    lambda draft: json.dumps({"arguments": json.dumps(draft)}),
    lambda draft: json.dumps({key.upper(): value for key, value in draft.items()}),
]


@given(draft=DRAFTS, wrap=st.sampled_from(WRAPPINGS))
def test_draft_is_the_same_in_any_wrapping(draft: dict[str, Any], wrap: Callable[[dict[str, Any]], str]) -> None:
    assert draft_in(wrap(draft)) == draft


@given(draft=DRAFTS, wrap=st.sampled_from(WRAPPINGS), before=PROSE, after=PROSE)
def test_draft_is_the_same_in_prose(
    draft: dict[str, Any], wrap: Callable[[dict[str, Any]], str], before: str, after: str
) -> None:
    said = wrap(draft)
    if not said.startswith('"'):
        said = f"{before}\n```json\n{said}\n```\n{after}"

    assert draft_in(said) == draft


@given(JSON_VALUES.map(json.dumps) | st.text() | FRAGMENTS.map("".join))
def test_no_text_raises_or_gives_more_than_texts(text: str) -> None:
    found = draft_in(text)

    assert found is None or set(found) <= set(DRAFT)
    for value in (found or {}).values():
        texts = value if isinstance(value, list) else [value]
        assert all(text is None or isinstance(text, str) for text in texts)
    json.dumps(found)


HOSTILE = {
    "braces": "{" * 500_000,
    "nested": '{"a":' * 200_000,
    "nested lists": '{"a":[' * 200_000,
    "quotes": '{"' * 300_000,
    "escapes": '{"' + '\\"' * 300_000,
    "objects": '{"a":1}' * 50_000,
    "unclosed": '{"a":1,' * 100_000,
    "broken": '{"a "}' * 100_000,
    "white space": ("{" + " " * 1000) * 300,
    "commas": '{"a":' + "," * 300_000 + "}",
    "spaced commas": ", " * 200_000 + "]",
    "trailing commas": '{"' * 200_000 + ",]",
    "strings": json.dumps({"a": '{"title": 1,]' * 50_000}),
    "digits": '{"title":' + "9" * 300_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_linear_time(name: str) -> None:
    """Quadratic time would take minutes, which the timeout of the tests ends."""
    assert draft_in(HOSTILE[name]) is None


def test_deep_nesting_in_a_field_is_dropped() -> None:
    text = '{"title": "a", "tags": ' + "[" * 500 + "]" * 500 + "}"

    assert draft_in(text) == {"title": "a", "tags": []}


def test_search_ends_after_many_failures() -> None:
    broken = '{"a "}'

    assert list(objects_in(broken * (MOST_FAILURES - 1) + JSON)) == [DRAFT]
    assert list(objects_in(broken * MOST_FAILURES + JSON)) == []
