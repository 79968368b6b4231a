"""On every route, the items of another user do not exist."""

import pytest
from django.contrib.auth.models import User
from django.urls import get_resolver

from items.api import urls
from items.models import Item
from items.states import Status
from tests.items.api.client import BASE, Api, problem
from tests.items.factories import make_item

ON_ONE_ITEM = [
    ("GET", "/items/{id}", b""),
    ("HEAD", "/items/{id}", b""),
    ("PATCH", "/items/{id}", b'{"title": "Mine now"}'),
    ("PATCH", "/items/{id}", b'{"action": "confirm"}'),
    ("PATCH", "/items/{id}", b'{"action": "discard"}'),
    ("POST", "/items/{id}/retry", b""),
    ("POST", "/items/{id}/redraft", b""),
    ("POST", "/items/{id}/restore", b""),
]
ON_MANY = [
    ("GET", "/items", b"", {"items": [], "pagination": {"cursor": None, "hasMore": False}}),
    ("GET", "/items/pending", b"", {"items": [], "pagination": {"cursor": None, "hasMore": False}, "total": 0}),
    ("GET", "/items?q=vacuum", b"", {"items": [], "pagination": {"cursor": None, "hasMore": False}}),
    ("GET", "/tags", b"", {"tags": [], "pagination": {"cursor": None, "hasMore": False}}),
    ("POST", "/items/retry", b"{}", {"retried": 0, "hasMore": False}),
]
CAPTURE = ("POST", "/items", b'{"rawText": "Mine."}')


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(("method", "path", "body"), ON_ONE_ITEM)
def test_item_of_another_user_is_not_found(
    owner: User, stranger: User, status: Status, method: str, path: str, body: bytes
) -> None:
    item = make_item(owner, status=status)

    response = Api(stranger).raw(method, path.format(id=item.id), body)

    assert response.status_code == 404
    assert Item.objects.filter(pk=item.pk, status=status, updated_at=item.updated_at).exists()


def test_item_of_another_user_looks_like_a_missing_one(owner: User, stranger: User) -> None:
    api = Api(stranger)
    theirs = make_item(owner)

    answers = [api.get(f"/items/{item_id}") for item_id in (theirs.id, "0b1c6a52-4d5f-4a51-9f0c-6a4a5f0c2f11")]

    bodies = [{**answer.json()["error"], "requestId": None} for answer in answers]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(("method", "path", "body", "expected"), ON_MANY)
def test_items_of_another_user_are_not_counted_or_changed(
    owner: User, stranger: User, method: str, path: str, body: bytes, expected: dict[str, object]
) -> None:
    items = [make_item(owner, status=status) for status in Status]

    response = Api(stranger).raw(method, path, body)

    assert response.json() == expected
    assert [Item.objects.get(pk=item.pk).status for item in items] == [item.status for item in items]


def test_cursor_of_another_user_shows_only_ones_own_items(owner: User, stranger: User) -> None:
    for _ in range(3):
        make_item(owner)
    cursor = Api(owner).get("/items", {"limit": "1"}).json()["pagination"]["cursor"]

    response = Api(stranger).get("/items", {"cursor": cursor})

    assert response.json()["items"] == []


@pytest.mark.parametrize(("method", "path", "body"), [*ON_ONE_ITEM, *((m, p, b) for m, p, b, _ in ON_MANY), CAPTURE])
def test_anonymous_request_is_refused(owner: User, method: str, path: str, body: bytes) -> None:
    item = make_item(owner, status=Status.FAILED)

    response = Api(None).raw(method, path.format(id=item.id), body)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="litevault"'
    if method != "HEAD":
        assert problem(response) == (401, "UNAUTHORIZED")
    assert Item.objects.get().status == Status.FAILED


def test_every_route_is_covered_here(owner: User) -> None:
    item = make_item(owner)
    paths = [path for _, path, _ in ON_ONE_ITEM] + [path for _, path, *_ in ON_MANY] + [CAPTURE[1]]

    urls_called = (BASE + path.format(id=item.id).partition("?")[0] for path in paths)
    covered = {get_resolver().resolve(url).url_name for url in urls_called}

    assert covered | {"selected-items", "pause"} == {
        pattern.name for pattern in urls.urlpatterns
    }  # see test_selection and test_pauses
