"""What the functions of ReadSerializer return, beside what REST framework does with the same fields."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework import serializers

from items.api.listed_texts import with_long_texts, without_long_texts
from items.api.read_serializer import ReadSerializer
from items.api.serializers import AttemptSerializer, ItemDetailSerializer, ItemSerializer, UsageSerializer
from items.models import Item
from items.states import Outcome, Status
from items.usage import TotalUsage
from tests.items.api.client import Api
from tests.items.factories import make_attempt, make_item

TIMES = [
    datetime(2026, 5, 1, 12, tzinfo=UTC),
    datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 5, 1, 12, 0, 0, 120000, tzinfo=timezone(timedelta(hours=2))),
]


def by_rest_framework(serializer: type[ReadSerializer], instance: object) -> dict[str, Any]:
    return dict(serializers.Serializer.to_representation(serializer(), instance))


@pytest.mark.parametrize("status", Status.values)
def test_item_is_as_rest_framework_has_it(owner: User, status: str) -> None:
    item = make_item(owner, status=status)
    item.refresh_from_db()
    (row,) = with_long_texts(list(without_long_texts(Item.objects.all())))

    expected = by_rest_framework(ItemSerializer, item)

    assert dict(ItemSerializer(item).data) == dict(ItemSerializer(row).data) == expected
    assert list(ItemSerializer(item).data) == list(expected)


@pytest.mark.parametrize("outcome", Outcome.values)
@pytest.mark.parametrize("cost", [None, Decimal(0), Decimal("0.00000001"), Decimal("1234.5")])
def test_attempt_and_usage_are_as_rest_framework_has_them(owner: User, outcome: str, cost: Decimal | None) -> None:
    attempt = make_attempt(make_item(owner), outcome=outcome, cost_usd=cost, model="m", prompt_tokens=0)
    attempt.refresh_from_db()
    usage = TotalUsage.of([attempt, attempt])

    assert dict(AttemptSerializer(attempt).data) == by_rest_framework(AttemptSerializer, attempt)
    assert dict(UsageSerializer(usage).data) == by_rest_framework(UsageSerializer, usage)


@pytest.mark.parametrize("time", TIMES, ids=str)
def test_time_is_as_rest_framework_has_it(time: datetime) -> None:
    class Timed(ReadSerializer):
        at = serializers.DateTimeField()

    timed = SimpleNamespace(at=time)

    assert Timed(timed).data == by_rest_framework(Timed, timed)


def test_detail_has_the_fields_of_its_documentation(owner: User) -> None:
    item = make_item(owner)
    make_attempt(item)

    detail = Api(owner).get(f"/items/{item.id}").json()

    assert list(detail) == [*ItemDetailSerializer().fields, "pausedUntil", "pauseReason"]
