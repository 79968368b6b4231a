"""ETag, If-None-Match and If-Match."""

import pytest
from django.contrib.auth.models import User

from items.states import Outcome, Status
from tests.items.api.client import Api, problem
from tests.items.factories import make_attempt, make_item
from tests.together import at_once


def test_unchanged_item_is_not_modified(owner: User) -> None:
    api = Api(owner)
    path = f"/items/{make_item(owner).id}"
    etag = api.get(path)["ETag"]

    response = api.get(path, If_None_Match=f'"other", W/{etag}')

    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == etag


def test_etag_changes_with_the_item(owner: User) -> None:
    api = Api(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    before = api.get(f"/items/{item.id}")["ETag"]

    edited = api.patch(f"/items/{item.id}", {"title": "Another"}, If_Match=before)

    assert edited.status_code == 200
    assert edited["ETag"] != before
    assert api.get(f"/items/{item.id}", If_None_Match=before)["ETag"] == edited["ETag"]


def test_etag_changes_with_a_new_attempt(owner: User) -> None:
    api = Api(owner)
    item = make_item(owner)
    before = api.get(f"/items/{item.id}")["ETag"]

    make_attempt(item, outcome=Outcome.FAILED)

    after = api.get(f"/items/{item.id}", If_None_Match=before)
    assert after.status_code == 200
    assert after["ETag"] != before
    assert after.json()["attempts"][0]["errorCode"] == "LLM_TIMEOUT"


@pytest.mark.parametrize("if_match", ["*", '"other", {etag}'])
def test_change_with_a_matching_etag_is_made(owner: User, if_match: str) -> None:
    api = Api(owner)
    path = f"/items/{make_item(owner, status=Status.FAILED).id}"
    etag = api.get(path)["ETag"]

    response = api.post(f"{path}/retry", If_Match=if_match.format(etag=etag))

    assert response.status_code == 200
    assert response["ETag"] == api.get(path)["ETag"]


@pytest.mark.parametrize("if_match", ['"other"', "W/{etag}", "nonsense", "", ",", "\xff\xfe"])
def test_change_with_another_etag_is_refused(owner: User, if_match: str) -> None:
    api = Api(owner)
    path = f"/items/{make_item(owner, status=Status.FAILED).id}"
    etag = api.get(path)["ETag"]

    response = api.post(f"{path}/retry", If_Match=if_match.format(etag=etag))

    assert problem(response) == (412, "STALE")


def test_invalid_change_is_refused_before_its_etag(owner: User) -> None:
    """A client that corrects its request learns of the newer version then."""
    item = make_item(owner, status=Status.ARCHIVED)

    response = Api(owner).patch(f"/items/{item.id}", {"title": ""}, If_Match='"another"')

    assert problem(response) == (400, "VALIDATION_ERROR")


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_concurrent_changes_is_made(owner: User) -> None:
    api = Api(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    etag = api.get(f"/items/{item.id}")["ETag"]

    answers = at_once(8, lambda number: api.patch(f"/items/{item.id}", {"title": f"Title {number}"}, If_Match=etag))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
