"""Texts that are longer than what lists show."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from items.api.listed_texts import with_long_texts, without_long_texts
from items.models import Item
from items.states import Status
from tests.items.api.client import Api
from tests.items.factories import make_item

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize("path", ["/items", "/items/pending"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 10_000, 10_000),
        ("x" * 10_001, 10_000),
        ("\U0001f642" * 100_000, 10_000),
        ("x" * 9_999 + "e\u0301" + "x", 9_999),
        ("x" * 9_998 + "e\u0301" + "x", 10_000),
        ("x" * 9_999 + "\r\n", 9_999),
        ("x" * 9_998 + FAMILY, 9_998),
        ("x" * 9_994 + ENGLAND, 9_994),
        ("x" + "\U0001f1e9\U0001f1ea" * 5_000, 9_999),
        ("x" + "\u0301" * 20_000, 10_000),
    ],
    ids=["short", "long", "emoji", "accent", "accent that fits", "CRLF", "family", "England", "flags", "huge"],
)
def test_list_cuts_a_long_text_between_characters(owner: User, path: str, text: str, shown: int) -> None:
    make_item(owner, raw_text=text)

    (listed,) = Api(owner).get(path).json()["items"]

    assert listed["rawText"] == text[:shown]
    assert listed["rawTextIsCut"] is (shown < len(text))


def test_item_and_every_change_of_it_have_the_whole_text(owner: User) -> None:
    text = "x" * 100_000
    api = Api(owner)

    captured = api.post("/items", {"rawText": text}, Idempotency_Key="key").json()
    repeated = api.post("/items", {"rawText": text}, Idempotency_Key="key").json()
    Item.objects.update(status=Status.FAILED, enrichment_error="LLM_TIMEOUT: The model did not respond in time.")
    retried = api.post(f"/items/{captured['id']}/retry").json()
    discarded = api.patch(f"/items/{captured['id']}", {"action": "discard"}).json()
    read = api.get(f"/items/{captured['id']}").json()

    for shown in (captured, repeated, retried, discarded, read):
        assert shown["rawText"] == text
        assert shown["rawTextIsCut"] is False


def test_list_reads_no_more_than_it_shows(owner: User) -> None:
    for text in ("x" * 100_000, "short"):
        make_item(owner, raw_text=text)

    with CaptureQueriesContext(connection) as queries:
        Api(owner).get("/items")

    (reading,) = (each["sql"] for each in queries if 'LEFT("items"."raw_text", 10001)' in each["sql"])
    assert reading.count("::uuid") == 1


def test_item_deleted_while_a_list_is_read_is_left_out(owner: User) -> None:
    items = [make_item(owner, raw_text=letter * 20_000) for letter in "ab"]
    rows = list(without_long_texts(Item.objects.order_by("created_at")))

    items[0].delete()

    assert [row.raw_text for row in with_long_texts(rows)] == ["b" * 10_000]


def test_text_beyond_a_lowered_limit_can_be_read_and_edited(owner: User, settings: Settings) -> None:
    item = make_item(owner, raw_text="x" * 50_000, status=Status.READY_TO_CONFIRM)
    settings.TEXT_MAX_LENGTH = 20_000
    api = Api(owner)

    read = api.get(f"/items/{item.pk}")
    confirmed = api.patch(f"/items/{item.pk}", {"action": "confirm", "title": "Edited"})
    refused = api.post("/items", {"rawText": "x" * 20_001})

    assert len(read.json()["rawText"]) == 50_000
    assert (confirmed.status_code, confirmed.json()["title"]) == (200, "Edited")
    assert refused.json()["error"]["message"] == "rawText may have at most 20,000 characters."


def test_highest_limit_is_the_databases(owner: User, settings: Settings) -> None:
    settings.TEXT_MAX_LENGTH = 1_000_000
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000_000 + 64 * 1024
    api = Api(owner)

    response = api.post("/items", {"rawText": "\U0001f642" * 1_000_000})

    assert response.status_code == 201, response.content[:200]
    Item.objects.update(title="Every update checks the text.")
