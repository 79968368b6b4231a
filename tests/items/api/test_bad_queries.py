"""Invalid query parameters."""

import base64

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.api.pagination import POSITION
from items.states import Status
from tests.items.api.bad_reasons import BAD_REASONS
from tests.items.api.client import BASE, Api, constraints, problem
from tests.items.factories import make_item


def _cursor(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


QUERIES = {
    "limit 0": ({"limit": "0"}, {"limit": "min_value"}),
    "limit 101": ({"limit": "101"}, {"limit": "max_value"}),
    "limit -1": ({"limit": "-1"}, {"limit": "min_value"}),
    "limit as a word": ({"limit": "ten"}, {"limit": "invalid"}),
    "limit in digits of another script": ({"limit": "\u0665"}, {"limit": "invalid"}),
    "limit with an underscore": ({"limit": "1_0"}, {"limit": "invalid"}),
    "limit of many digits": ({"limit": "9" * 5_000}, {"limit": "max_string_length"}),
    "unknown status": ({"status": "DONE"}, {"status": "invalid_choice"}),
    "status in lower case": ({"status": "failed"}, {"status": "invalid_choice"}),
    "status with NUL": ({"status": "FAILED\x00"}, {"status": "invalid_choice"}),
    "unknown parameter": ({"sort": "title"}, {"sort": "unknown"}),
    "format": ({"format": "json"}, {"format": "unknown"}),
    "cursor of words": ({"cursor": "next"}, {"cursor": "invalid"}),
    "cursor with NUL": ({"cursor": "\x00"}, {"cursor": "invalid"}),
    "cursor in other letters": ({"cursor": "é" * 32}, {"cursor": "invalid"}),
    "cursor too short": ({"cursor": _cursor(b"short")}, {"cursor": "invalid"}),
    "cursor from the end of time": ({"cursor": _cursor(POSITION.pack(2**63 - 1, b"x" * 16))}, {"cursor": "invalid"}),
    "cursor from before time": ({"cursor": _cursor(POSITION.pack(-(2**63), b"x" * 16))}, {"cursor": "invalid"}),
}
LIST_QUERIES = {
    **QUERIES,
    "unknown type": ({"sourceType": "BOOK"}, {"sourceType": "invalid_choice"}),
    "error code in lower case": ({"errorCode": "llm_timeout"}, {"errorCode": "invalid"}),
    "error code with wildcard": ({"errorCode": "%"}, {"errorCode": "invalid"}),
    **BAD_REASONS,
    "error code with line break": ({"errorCode": "LLM_TIMEOUT\n"}, {"errorCode": "invalid"}),
    "search with NUL": ({"q": "a\x00b"}, {"q": "null_characters_not_allowed"}),
    "search for many words": ({"q": "a b c d e f g h i j k"}, {"q": "max_words"}),
    "unknown way to treat accents": ({"accents": "keep"}, {"accents": "invalid_choice"}),
    "long search": ({"q": "a" * 201}, {"q": "max_length"}),
    "tag with NUL": ({"tag": "\x00a"}, {"tag": "null_characters_not_allowed"}),
    "long tag": ({"tag": "a" * 51}, {"tag": "max_length"}),
    "two mistakes": ({"limit": "0", "foo": "1"}, {"limit": "min_value", "foo": "unknown"}),
}
PENDING_QUERIES = {
    **QUERIES,
    "status that is not pending": ({"status": "ARCHIVED"}, {"status": "invalid_choice"}),
    "filter of the other list": ({"q": "a"}, {"q": "unknown"}),
}


@pytest.mark.parametrize(("query", "expected"), LIST_QUERIES.values(), ids=LIST_QUERIES)
def test_invalid_query_of_the_list_is_refused(owner: User, query: dict[str, str], expected: dict[str, str]) -> None:
    response = Api(owner).get("/items", query)

    assert constraints(response) == expected


@pytest.mark.parametrize(("query", "expected"), PENDING_QUERIES.values(), ids=PENDING_QUERIES)
def test_invalid_query_of_the_pending_list_is_refused(
    owner: User, query: dict[str, str], expected: dict[str, str]
) -> None:
    response = Api(owner).get("/items/pending", query)

    assert constraints(response) == expected


def test_message_for_a_limit_names_the_range(owner: User) -> None:
    response = Api(owner).get("/items", {"limit": "101"})

    assert response.json()["error"]["message"] == "limit must be a whole number from 1 to 100."


def test_repeated_parameter_is_refused(owner: User) -> None:
    response = Api(owner).get("/items?status=FAILED&status=ARCHIVED")

    assert constraints(response) == {"status": "repeated"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=%FF", "q"),
        ("q=caf%E9", "q"),
        ("q=%ed%a0%80", "q"),  # half of a surrogate pair
        ("q=%C3", "q"),
        ("limit=5&tag=%fe", "tag"),
        ("cursor=%FF", "cursor"),
        ("unknown=%FF", "unknown"),
        ("%FF=1", "?"),
    ],
)
@pytest.mark.parametrize("path", ["/items", "/items/pending", "/tags", "/events"])
def test_query_that_is_not_utf8_is_refused(owner: User, path: str, query: str, field: str) -> None:
    response = Api(owner).get(f"{path}?{query}")

    assert constraints(response) == {field: "encoding"}


def test_raw_bytes_of_a_query_are_utf8_too(owner: User) -> None:
    """Django's test client quotes a query itself, unless the server's variable is given."""
    item = make_item(owner, raw_text="café")
    api = Api(owner)

    found = api.client.get(f"{BASE}/items", QUERY_STRING="q=café".encode().decode("latin-1"), headers=api.headers)
    refused = api.client.get(f"{BASE}/items", QUERY_STRING="q=caf\xe9", headers=api.headers)

    assert [each["id"] for each in found.json()["items"]] == [str(item.id)]
    assert constraints(refused) == {"q": "encoding"}


def test_charset_of_the_body_does_not_decode_the_query(owner: User) -> None:
    make_item(owner, raw_text="café")
    api = Api(owner)

    response = api.client.get(
        f"{BASE}/items", {"q": "café"}, CONTENT_TYPE="text/plain; charset=iso-8859-1", headers=api.headers
    )

    assert len(response.json()["items"]) == 1


@pytest.mark.parametrize("url", ["/admin/items/item/?q=%FF", "/login?next=%FF", "/api/v1/items?q=%FF"])
def test_browser_gets_a_page_for_an_undecodable_query(url: str) -> None:
    response = Client().get(url, headers={"Accept": "text/html"})

    assert (response.status_code, response["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert "is not UTF-8." in response.text


def test_too_many_parameters_are_refused(owner: User) -> None:
    response = Api(owner).get("/items?" + "&".join(f"a{number}=1" for number in range(2_000)))

    assert problem(response) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("path", ["/items/{id}", "/items/retry", "/items/{id}/retry"])
def test_parameters_are_refused_where_none_exist(owner: User, path: str) -> None:
    api = Api(owner)
    item = make_item(owner, status=Status.FAILED)
    url = path.format(id=item.id) + "?limit=5"

    response = api.post(url) if path.endswith("retry") else api.get(url)

    assert constraints(response) == {"limit": "unknown"}
