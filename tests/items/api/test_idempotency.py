"""POST /items with Idempotency-Key."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from items.api import idempotency
from items.api.idempotency import DELETED_AT_ONCE
from items.models import IdempotencyKey, Item
from tests.items.api.client import Api, problem
from tests.together import at_once

TEXT = "Nobody but me should read this."


@pytest.mark.parametrize("enrich", [True, False])
def test_repeated_request_gets_the_first_response(owner: User, *, enrich: bool) -> None:
    api = Api(owner)
    body = {"rawText": TEXT, "enrich": enrich}

    first = api.post("/items", body, Idempotency_Key="key")
    Item.objects.get().discard()
    second = api.post("/items", body, Idempotency_Key="key")

    assert Item.objects.count() == 1
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert (second.status_code, second.content) == (201, first.content)
    assert (second["ETag"], second["Location"]) == (first["ETag"], first["Location"])


def test_explicit_default_is_the_same_body(owner: User) -> None:
    api = Api(owner)
    api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    response = api.post("/items", {"enrich": True, "rawText": TEXT}, Idempotency_Key="key")

    assert response["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("body", [{"rawText": TEXT + " "}, {"rawText": TEXT, "enrich": False}])
def test_other_body_under_the_same_key_is_refused(owner: User, body: dict[str, object]) -> None:
    api = Api(owner)
    api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    response = api.post("/items", body, Idempotency_Key="key")

    assert problem(response) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Item.objects.count() == 1


def test_different_key_or_no_key_creates_another_item(owner: User) -> None:
    api = Api(owner)

    for headers in ({"Idempotency_Key": "a"}, {"Idempotency_Key": "A"}, {}, {}):
        assert api.post("/items", {"rawText": TEXT}, **headers).status_code == 201

    assert Item.objects.count() == 4


def test_key_of_another_user_is_another_key(owner: User, stranger: User) -> None:
    Api(owner).post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    response = Api(stranger).post("/items", {"rawText": "Something else."}, Idempotency_Key="key")

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response


def test_refused_request_leaves_its_key_free(owner: User) -> None:
    api = Api(owner)
    api.post("/items", {"rawText": " "}, Idempotency_Key="key")

    response = api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response


def test_longest_key_of_every_printable_character_works(owner: User) -> None:
    api = Api(owner)
    key = "".join(map(chr, range(33, 127))).ljust(254, "~") + "!"

    answers = [api.post("/items", {"rawText": TEXT}, Idempotency_Key=key) for _ in range(2)]

    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("enrich", [True, False])
def test_stored_response_does_not_contain_the_text(owner: User, *, enrich: bool) -> None:
    Api(owner).post("/items", {"rawText": TEXT, "enrich": enrich}, Idempotency_Key="key")

    stored = IdempotencyKey.objects.get()
    assert "Nobody" not in json.dumps(stored.response) + stored.fingerprint


def test_response_that_an_earlier_version_stored_is_complete(owner: User) -> None:
    api = Api(owner)
    first = api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")
    stored = IdempotencyKey.objects.get()
    del stored.response["item"]["errorReason"]
    stored.save()

    again = api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    assert again.content == first.content


def test_key_expires_after_a_day(owner: User) -> None:
    api = Api(owner)
    api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    other_body = api.post("/items", {"rawText": "Something else."}, Idempotency_Key="key")
    again = api.post("/items", {"rawText": "Something else."}, Idempotency_Key="key")

    assert other_body.status_code == 201
    assert again.content == other_body.content
    assert Item.objects.count() == 2


def test_key_is_valid_for_a_day(owner: User) -> None:
    api = Api(owner)
    api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))

    response = api.post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    assert response["Idempotency-Replayed"] == "true"


def test_new_key_deletes_some_expired_ones(owner: User, stranger: User) -> None:
    yesterday = timezone.now() - timedelta(hours=25)
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(owner=stranger, key=str(number), fingerprint="", response={}, created_at=yesterday)
        for number in range(DELETED_AT_ONCE + 5)
    )

    Api(owner).post("/items", {"rawText": TEXT}, Idempotency_Key="key")

    assert IdempotencyKey.objects.filter(owner=stranger).count() == 5


@pytest.mark.django_db(transaction=True)
def test_concurrent_equal_requests_create_one_item(owner: User, settings: Settings) -> None:
    settings.REQUESTS_AT_ONCE = 20
    api = Api(owner)

    answers = at_once(20, lambda _: api.post("/items", {"rawText": TEXT}, Idempotency_Key="key"))

    assert Item.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    created = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in created}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in created) == 1
    assert all(problem(answer)[1] == "DUPLICATE_REQUEST" for answer in answers if answer.status_code == 409)


@pytest.mark.django_db(transaction=True)
def test_request_is_refused_while_the_first_is_running(owner: User) -> None:
    api = Api(owner)
    with transaction.atomic():
        assert idempotency._lock(owner, "key")

        (meanwhile,) = at_once(1, lambda _: api.post("/items", {"rawText": TEXT}, Idempotency_Key="key"))
    (afterwards,) = at_once(1, lambda _: api.post("/items", {"rawText": TEXT}, Idempotency_Key="key"))

    assert problem(meanwhile) == (409, "DUPLICATE_REQUEST")
    assert afterwards.status_code == 201
