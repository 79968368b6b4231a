"""Queries whose SQL is made once, beside the querysets that they are made of."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from items.models import Item
from items.states import Status
from postgres.django.compiled import CompiledQuery, Parameter
from tests.items.factories import make_item


def by_owner_and_id() -> QuerySet[Item]:
    items: QuerySet[Item] = Item.objects.owned_by(Parameter("owner")).filter(
        pk=Parameter("item"), status=Status.ARCHIVED
    )
    return items


def test_each_call_has_its_own_values(owner: User, stranger: User) -> None:
    query = CompiledQuery(lambda: by_owner_and_id().values_list("title", "owner_id"))
    first, second = (make_item(each, status=Status.ARCHIVED, title=each.username) for each in (owner, stranger))
    pending = make_item(owner)

    assert query.rows(owner=owner.pk, item=first.pk) == [(owner.username, owner.pk)]
    assert query.rows(owner=stranger.pk, item=second.pk) == [(stranger.username, stranger.pk)]
    assert query.rows(owner=owner.pk, item=second.pk) == query.rows(owner=owner.pk, item=pending.pk) == []


def test_instance_has_the_values_of_the_queryset(owner: User) -> None:
    draft = {"title": "Before", "summary": "Said before.", "tags": ["a"], "sourceType": "NOTE"}
    item = make_item(owner, status=Status.ARCHIVED, former_draft=draft, tags=["b", "c"], title="Quotes: ' \" % %s")

    (found,) = CompiledQuery(by_owner_and_id).instances(owner=owner.pk, item=item.pk)

    expected = Item.objects.get(pk=item.pk)
    assert found == expected
    assert {**vars(found), "_state": None} == {**vars(expected), "_state": None}


def test_statement_is_that_of_the_queryset(owner: User) -> None:
    item = make_item(owner)
    query = CompiledQuery(by_owner_and_id)

    with CaptureQueriesContext(connection) as queries:
        query.rows(owner=owner.pk, item=item.pk)
        list(Item.objects.owned_by(owner).filter(pk=item.pk, status=Status.ARCHIVED))

    compiled, plain = (query["sql"].replace("(", "").replace(")", "") for query in queries)
    assert compiled == plain


def test_call_without_a_value_is_an_error(owner: User) -> None:
    with pytest.raises(KeyError, match="item"):
        CompiledQuery(by_owner_and_id).rows(owner=owner.pk)
