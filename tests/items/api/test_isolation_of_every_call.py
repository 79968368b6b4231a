"""Every operation of the OpenAPI document, on the items of another user."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Outcome, Status
from tests.items.api.client import Api
from tests.items.factories import make_attempt, make_item
from tests.openapi import CALLS, Call, call_named
from tests.plugins.tiers import first_usual

TABLES = ("items", "enrichment_attempts", "idempotency_keys")
SECRET = "xylophone"  # in all that the owner has, and nowhere else
PREFIX = "/api/v1"
WITH_ID = [name for name in CALLS if "{item_id}" in name]
# The pause of enrichment is for staff: tests/items/test_pauses.py.
WITHOUT_ID = [name for name in CALLS if "{item_id}" not in name and not name.endswith("/pause")]
EVERY_METHOD = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY")


@pytest.fixture(params=first_usual(*Status))
def theirs(request: pytest.FixtureRequest, owner: User) -> Item:
    """Create an item of the owner with an attempt."""
    item = make_item(
        owner,
        status=request.param,
        raw_text=f"{SECRET} text",
        title=f"{SECRET} title",
        summary=f"{SECRET} summary",
        tags=[f"{SECRET} tag"],
        source_type="NOTE",
    )
    make_attempt(item, outcome=Outcome.FAILED, model=f"{SECRET} model")
    return item


@pytest.fixture
def call(request: pytest.FixtureRequest) -> Call:
    return call_named(request.param)


@pytest.mark.parametrize("call", WITH_ID, indirect=True)
def test_call_on_an_item_of_another_user_finds_nothing(theirs: Item, stranger: User, call: Call) -> None:
    before = everything()
    path = path_of(call, theirs)

    for body in call.bodies:
        for headers in ({}, {"If_Match": "*"}, {"If_None_Match": "*"}):
            response = Api(stranger)._send(call.method.upper(), path, body, headers)

            assert response.status_code == 404, call
            assert SECRET not in response.content.decode()
            assert "ETag" not in response.headers
    assert everything() == before


@pytest.mark.parametrize("path", sorted({name.split()[1] for name in WITH_ID}))
@pytest.mark.parametrize("method", EVERY_METHOD)
def test_no_method_reveals_an_item_of_another_user(theirs: Item, stranger: User, path: str, method: str) -> None:
    before = everything()
    missing = "0b1c6a52-4d5f-4a51-9f0c-6a4a5f0c2f11"
    url = path.removeprefix(PREFIX)

    answers = [
        Api(stranger).raw(method, url.replace("{item_id}", item_id), b'{"title": "Mine now"}')
        for item_id in (str(theirs.id), missing)
    ]

    assert visible_parts(answers[0], str(theirs.id)) == visible_parts(answers[1], missing)
    assert answers[0].status_code in {400, 404, 405}
    assert everything() == before


@pytest.mark.parametrize("call", WITHOUT_ID, indirect=True)
def test_call_on_many_items_excludes_those_of_another_user(theirs: Item, stranger: User, call: Call) -> None:
    before = rows_of_the_owner(theirs)
    for body in call.bodies:
        response = Api(stranger)._send(call.method.upper(), path_of(call, theirs), body, {"Idempotency_Key": "key"})

        assert response.status_code in {200, 201, 204}, response.content
        assert SECRET not in response.content.decode()
        assert str(theirs.id) not in response.content.decode()
    assert rows_of_the_owner(theirs) == before


def test_document_has_calls_of_both_kinds() -> None:
    assert (len(WITH_ID), len(WITHOUT_ID)) == (5, 6)


def path_of(call: Call, item: Item) -> str:
    return call.path.removeprefix(PREFIX).replace("{item_id}", str(item.id))


def visible_parts(response: Any, item_id: str) -> tuple[int, str]:
    """Return the response without the ids of the request and the item."""
    body = response.content.decode().replace(response["X-Request-Id"], "").replace(item_id, "")
    return response.status_code, body


def everything() -> dict[str, list[Any]]:
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT {table}::text FROM {table} ORDER BY 1")
            found[table] = cursor.fetchall()
        return found


def rows_of_the_owner(item: Item) -> list[Any]:
    return list(Item.objects.filter(owner=item.owner).values())
