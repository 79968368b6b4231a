"""An item knows the request that asked for its draft, so that the log lines of its attempts have the id."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from items.audit import Actor, Via, acting
from items.models import Item
from items.states import Status
from tests.items.api.client import Api
from tests.items.factories import make_item
from tests.items.queue.protocol import claim

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = {"X-Request-Id": "req-of-this-test"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def by_plain_sql(item: Item) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE items SET status = 'ENRICHING' WHERE id = %s", [item.pk])


BY_REQUEST: dict[str, tuple[Status, Callable[[Api, Item], object]]] = {
    "retry": (Status.FAILED, lambda api, item: api.post(f"/items/{item.pk}/retry", **REQUEST)),
    "retry of all": (Status.FAILED, lambda api, _item: api.post("/items/retry", {}, **REQUEST)),
    "redraft": (Status.READY_TO_CONFIRM, lambda api, item: api.post(f"/items/{item.pk}/redraft", **REQUEST)),
}
WITHOUT_REQUEST: dict[str, Callable[[Item], object]] = {
    "method": Item.retry,
    "command": lambda item: call_command("items", "retry", str(item.pk)),
    "plain SQL": by_plain_sql,
}


@pytest.mark.parametrize("enrich", [True, False])
def test_capture_stores_the_id_of_its_request(owner: User, *, enrich: bool) -> None:
    response = Api(owner).post("/items", {"rawText": "text", "enrich": enrich}, **REQUEST)

    assert response.status_code == 201
    assert (Item.objects.get().request_id, Item.objects.get().traceparent) == ("req-of-this-test", None)


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "{}", "a\tb"])
def test_malformed_id_is_replaced_before_it_is_stored(owner: User, given: str) -> None:
    response = Api(owner).post("/items", {"rawText": "text"}, X_Request_Id=given)

    stored = Item.objects.get().request_id
    assert stored == response.headers["X-Request-Id"]
    assert stored.startswith("req-")


@pytest.mark.parametrize("way", BY_REQUEST)
def test_request_for_another_draft_replaces_the_id(owner: User, way: str) -> None:
    status, change = BY_REQUEST[way]
    item = make_item(owner, status=status, request_id="req-of-the-capture", traceparent=TRACEPARENT)

    change(Api(owner), item)

    item.refresh_from_db()
    assert (item.status, item.request_id, item.traceparent) == (Status.ENRICHING, "req-of-this-test", None)


@pytest.mark.parametrize("way", WITHOUT_REQUEST)
def test_retry_without_a_request_clears_the_id(owner: User, way: str) -> None:
    item = make_item(owner, status=Status.FAILED, request_id="req-of-the-capture", traceparent=TRACEPARENT)

    WITHOUT_REQUEST[way](item)

    item.refresh_from_db()
    assert (item.status, item.request_id, item.traceparent) == (Status.ENRICHING, None, None)


def test_other_changes_keep_the_id(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM, request_id="req-of-the-capture")

    Api(owner).patch(f"/items/{item.pk}", {"action": "confirm"}, **REQUEST)

    item.refresh_from_db()
    assert (item.status, item.request_id) == (Status.ARCHIVED, "req-of-the-capture")


def test_trace_of_a_request_follows_the_item_to_the_claim(owner: User) -> None:
    with acting(lambda: Actor(owner.pk, "owner", Via.TOKEN, request_id="req-1", traceparent=TRACEPARENT)):
        Item.objects.capture(owner=owner, raw_text="captured")
        make_item(owner, status=Status.FAILED).retry()
    Item.objects.capture(owner=owner, raw_text="by a command")

    claims = {each.raw_text: (each.request_id, each.traceparent) for each in claim()}

    assert claims.pop("by a command") == (None, None)
    assert len(claims) == 2
    assert set(claims.values()) == {("req-1", TRACEPARENT)}


def test_id_is_shown_to_nobody_but_staff(owner: User, stranger: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, request_id="req-of-the-capture")

    seen = [Api(user).get(f"/items/{item.pk}").content for user in (owner, stranger)]

    assert str(item.pk).encode() in seen[0]
    assert not any(b"req-of-the-capture" in content for content in seen)
