"""Invalid requests. None of them may be a server error."""

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from items.texts import Refusal
from tests.items.api.bad_reasons import BAD_REASONS
from tests.items.api.client import Api, constraints, problem
from tests.items.factories import make_item

BODIES = {
    "nothing": (b"", {"rawText": "required"}),
    "empty object": (b"{}", {"rawText": "required"}),
    "null": (b'{"rawText": null}', {"rawText": "null"}),
    "number": (b'{"rawText": 5}', {"rawText": "invalid"}),
    "true": (b'{"rawText": true}', {"rawText": "invalid"}),
    "list": (b'{"rawText": ["a"]}', {"rawText": "invalid"}),
    "object": (b'{"rawText": {"a": 1}}', {"rawText": "invalid"}),
    "empty": (b'{"rawText": ""}', {"rawText": "blank"}),
    "blank": (b'{"rawText": " \\n\\t\\u00a0"}', {"rawText": "blank"}),
    "too long": (b'{"rawText": "' + b"a" * 100_001 + b'"}', {"rawText": "max_length"}),
    "NUL": (b'{"rawText": "a\\u0000b"}', {"rawText": "null_characters_not_allowed"}),
    "lone surrogate": (b'{"rawText": "a\\ud800b"}', {"rawText": "surrogate_characters_not_allowed"}),
    "unknown field": (b'{"rawText": "a", "titel": "b"}', {"titel": "unknown"}),
    "unknown field that is no name": (b'{"rawText": "a", "my secret \\ud800": 1}', {"?": "unknown"}),
    "field of the answer": (b'{"rawText": "a", "status": "ARCHIVED"}', {"status": "unknown"}),
    "two mistakes": (b'{"rawText": 5, "titel": "b"}', {"rawText": "invalid", "titel": "unknown"}),
    "enrich as a word": (b'{"rawText": "a", "enrich": "false"}', {"enrich": "invalid"}),
    "enrich as a number": (b'{"rawText": "a", "enrich": 0}', {"enrich": "invalid"}),
    "enrich as null": (b'{"rawText": "a", "enrich": null}', {"enrich": "null"}),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_invalid_capture_names_field_and_constraint(owner: User, body: bytes, expected: dict[str, str]) -> None:
    response = Api(owner).raw("POST", "/items", body)

    assert constraints(response) == expected
    assert not Item.objects.exists()


def test_message_names_the_field_without_repeating_the_text(owner: User) -> None:
    response = Api(owner).post("/items", {"rawText": "secret\x00words", "secret words": "secret"})

    error = response.json()["error"]
    assert error["message"] == f"rawText {Refusal.NUL.label}."
    assert error["details"]["fields"][0]["message"] == error["message"]
    assert b"secret" not in response.content


CHANGES = {
    "nothing": ({}, {"action": "required"}),
    "unknown action": ({"action": "archive"}, {"action": "invalid_choice"}),
    "retry is not a change": ({"action": "retry"}, {"action": "invalid_choice"}),
    "action as a list": ({"action": ["confirm"]}, {"action": "invalid_choice"}),
    "action as null": ({"action": None}, {"action": "null"}),
    "discard with edits": (
        {"action": "discard", "title": "a", "tags": ["b"]},
        {"title": "not_allowed", "tags": "not_allowed"},
    ),
    "status": ({"status": "ARCHIVED"}, {"status": "unknown"}),
    "rawText": ({"rawText": "new"}, {"rawText": "unknown"}),
    "blank title": ({"title": "  "}, {"title": "blank"}),
    "null title": ({"title": None}, {"title": "null"}),
    "number as title": ({"title": 7}, {"title": "invalid"}),
    "long title": ({"title": "a" * 101}, {"title": "max_length"}),
    "title of two lines": ({"title": "a\nb"}, {"title": "control_character"}),
    "blank summary": ({"summary": ""}, {"summary": "blank"}),
    "null summary": ({"summary": None}, {"summary": "null"}),
    "long summary": ({"summary": "a" * 501}, {"summary": "max_length"}),
    "summary with NUL": ({"summary": "a\x00"}, {"summary": "null_characters_not_allowed"}),
    "summary with surrogate": ({"summary": "\udc00"}, {"summary": "surrogate_characters_not_allowed"}),
    "no tags": ({"tags": []}, {"tags": "empty"}),
    "tags as a string": ({"tags": "a, b"}, {"tags": "not_a_list"}),
    "tags as an object": ({"tags": {"a": 1}}, {"tags": "not_a_list"}),
    "tags as null": ({"tags": None}, {"tags": "null"}),
    "tag as a number": ({"tags": ["a", 1]}, {"tags": "invalid"}),
    "tag as null": ({"tags": [None]}, {"tags": "null"}),
    "blank tag": ({"tags": ["a", " "]}, {"tags": "blank"}),
    "long tag": ({"tags": ["a" * 51]}, {"tags": "max_length"}),
    "tag that grows in lower case": ({"tags": ["\u0130" * 30]}, {"tags": "max_length"}),
    "tag of two lines": ({"tags": ["a\x1bb"]}, {"tags": "control_character"}),
    "tag with NUL": ({"tags": ["a\x00"]}, {"tags": "null_characters_not_allowed"}),
    "tag with surrogate": ({"tags": ["\ud800"]}, {"tags": "surrogate_characters_not_allowed"}),
    "many tags": ({"tags": [f"tag {n}" for n in range(21)]}, {"tags": "max_length"}),
}


@pytest.mark.parametrize(("body", "expected"), CHANGES.values(), ids=CHANGES)
def test_invalid_change_names_the_field_and_changes_nothing(
    owner: User, body: dict[str, object], expected: dict[str, str]
) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = Api(owner).patch(f"/items/{item.id}", body)

    assert constraints(response) == expected
    before = item.updated_at
    item.refresh_from_db()
    assert item.updated_at == before


RETRIES = {
    "unknown field": ({"error_code": "LLM_TIMEOUT"}, {"error_code": "unknown"}),
    "error code in lower case": ({"errorCode": "timeout"}, {"errorCode": "invalid"}),
    "error code as a number": ({"errorCode": 1}, {"errorCode": "invalid"}),
    "error code as null": ({"errorCode": None}, {"errorCode": "null"}),
    **BAD_REASONS,
    "error reason as a number": ({"errorReason": 1}, {"errorReason": "invalid_choice"}),
    "error reason as null": ({"errorReason": None}, {"errorReason": "null"}),
    "error reason as a list": ({"errorReason": ["KEY_REFUSED"]}, {"errorReason": "invalid_choice"}),
    "error reason as an object": ({"errorReason": {}}, {"errorReason": "invalid_choice"}),
    "date as a word": ({"createdBefore": "yesterday"}, {"createdBefore": "invalid"}),
    "date as a number": ({"createdBefore": 1}, {"createdBefore": "invalid"}),
    "date with NUL": ({"createdBefore": "2026-01-01T00:00:00\x00"}, {"createdBefore": "invalid"}),
    "date that does not exist": ({"createdBefore": "2026-02-30T00:00:00Z"}, {"createdBefore": "invalid"}),
    "date before time": ({"createdBefore": "0001-01-01T00:00:00+14:00"}, {"createdBefore": "overflow"}),
}


@pytest.mark.parametrize(("body", "expected"), RETRIES.values(), ids=RETRIES)
def test_invalid_retry_names_the_field_and_retries_nothing(
    owner: User, body: dict[str, object], expected: dict[str, str]
) -> None:
    item = make_item(owner, status=Status.FAILED)

    response = Api(owner).post("/items/retry", body)

    assert constraints(response) == expected
    item.refresh_from_db()
    assert item.status == Status.FAILED


def test_retry_of_one_item_takes_no_fields(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    response = Api(owner).post(f"/items/{item.id}/retry", {"errorCode": "LLM_TIMEOUT"})

    assert constraints(response) == {"errorCode": "unknown"}


MALFORMED_IDS = [
    "1",
    "x" * 5_000,
    "%00",
    "%ff",
    "..%2f",
    "null",
    "0b1c6a52-4d5f-4a51-9f0c",
    "é",
    "0b1c6a52-4d5f-4a51-9f0c-7d2f8e6a1b3c",
]


@pytest.mark.parametrize("item_id", MALFORMED_IDS)
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("PATCH", ""), ("POST", "/retry")])
def test_invalid_id_is_not_found(owner: User, method: str, tail: str, item_id: str) -> None:
    body = b'{"action": "discard"}' if method == "PATCH" else b""

    response = Api(owner).raw(method, f"/items/{item_id}{tail}", body)

    assert problem(response) == (404, "NOT_FOUND")


KEYS = {"empty": "", "too long": "k" * 256, "tab": "a\tb", "umlaut": "sch\xf6n", "DEL": "a\x7f"}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_invalid_idempotency_key_is_refused(owner: User, key: str) -> None:
    response = Api(owner).post("/items", {"rawText": "a"}, Idempotency_Key=key)

    assert constraints(response) == {"Idempotency-Key": "invalid"}
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/items"),
        ("PUT", "/items"),
        ("POST", "/items/pending"),
        ("GET", "/items/retry"),
        ("DELETE", "/items/{id}"),
        ("POST", "/items/{id}"),
        ("PUT", "/items/{id}"),
        ("GET", "/items/{id}/retry"),
        ("POST", "/tags"),
        ("OPTIONS", "/items"),
        ("TRACE", "/items"),
        ("BREW", "/items"),
    ],
)
def test_refused_method_names_the_allowed_ones(owner: User, method: str, path: str) -> None:
    item = make_item(owner)

    response = Api(owner).raw(method, path.format(id=item.id))

    assert problem(response) == (405, "METHOD_NOT_ALLOWED")
    assert response["Allow"]
    assert method not in response["Allow"]


@pytest.mark.parametrize("accept", ["application/xml", "text/plain", "nonsense", "image/*;q=x", "\xff"])
def test_unsupported_response_format_is_refused(owner: User, accept: str) -> None:
    response = Api(owner).get("/items", Accept=accept)

    assert problem(response) == (406, "NOT_ACCEPTABLE")
