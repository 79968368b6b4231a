"""POST /items."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import EnrichmentMode, Status
from tests.items.api.client import Api

ITEM_FIELDS = [
    "id",
    "rawText",
    "rawTextIsCut",
    "title",
    "summary",
    "tags",
    "sourceType",
    "status",
    "enrichmentMode",
    "enrichmentError",
    "errorReason",
    "allowedActions",
    "createdAt",
    "updatedAt",
    "confirmedAt",
]


def test_captured_text_is_enriched_by_default(owner: User) -> None:
    response = Api(owner).post("/items", {"rawText": "Remember the milk."})

    assert response.status_code == 201
    answer = response.json()
    assert list(answer) == ITEM_FIELDS
    assert answer["status"] == "ENRICHING"
    assert answer["enrichmentMode"] == "AI"
    assert answer["allowedActions"] == ["discard"]
    assert (answer["title"], answer["summary"], answer["sourceType"], answer["enrichmentError"]) == (None,) * 4
    assert answer["createdAt"].endswith("Z")
    assert Item.objects.get(pk=answer["id"]).owner == owner


def test_response_has_location_and_etag(owner: User) -> None:
    api = Api(owner)

    response = api.post("/items", {"rawText": "Remember the milk."})

    detail = api.client.get(response["Location"], headers=api.headers)
    assert detail.json()["id"] == response.json()["id"]
    assert detail["ETag"] == response["ETag"]


def test_text_without_enrichment_is_archived_as_it_is(owner: User) -> None:
    response = Api(owner).post("/items", {"rawText": "\n  Shopping list  \nmilk", "enrich": False})

    answer = response.json()
    assert answer["status"] == Status.ARCHIVED
    assert answer["enrichmentMode"] == EnrichmentMode.MANUAL
    assert answer["title"] == "Shopping list"
    assert answer["sourceType"] == "NOTE"
    assert answer["confirmedAt"] is not None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "  inner   and outer \t white space\r\n",
        "\u200d👩‍🚀 \U0010ffff",
        "<b>&amp;</b>",
        "a" * 100_000,
        "🙂" * 100_000,
    ],
    ids=["one character", "white space", "astral", "markup", "longest", "longest in emoji"],
)
def test_text_is_stored_unchanged(owner: User, text: str) -> None:
    api = Api(owner)
    content = b'{"rawText": ' + _json(text) + b"}"

    response = api.raw("POST", "/items", content)

    assert response.status_code == 201
    assert response.json()["rawText"] == text
    assert Item.objects.get().raw_text == text


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [("application/json", json.dumps), ("application/x-www-form-urlencoded", urlencode)],
)
def test_longest_text_may_be_escaped(
    owner: User, content_type: str, encode: Callable[[Mapping[str, str]], str]
) -> None:
    text = "🙂" * 100_000

    response = Api(owner).raw("POST", "/items", encode({"rawText": text}).encode(), content_type)

    assert response.status_code == 201
    assert Item.objects.get().raw_text == text


def test_json_with_a_byte_order_mark_is_accepted(owner: User) -> None:
    response = Api(owner).raw("POST", "/items", b'\xef\xbb\xbf{"rawText": "x"}')

    assert response.status_code == 201


def _json(text: str) -> bytes:
    """Do not escape characters, so that the longest text fits into a body."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
    return b'"' + escaped.replace("\t", "\\t").encode() + b'"'
