"""Tags are compared without case, normal form and invisible characters, whichever way in they came."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Status
from items.transfer.importing import FoundRecord, ImportSummary, _insert, import_records
from items.transfer.records import ItemRecord
from items.vocabulary import most_used_tags
from tests.items.admin.pages import detail, form_of
from tests.items.admin.staff import EVERY_VERB, staff_client
from tests.items.api.client import Api
from tests.items.factories import make_item
from tests.items.queue.protocol import at_once, claim, fetch, finish, success
from tests.items.transfer.records import line

pytestmark = pytest.mark.django_db(transaction=True)

SPELLING, KEY = "straße", "strasse"


def saved(owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, tags=[SPELLING])


def edited(owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED).edit(tags=[SPELLING])


def confirmed(owner: User) -> None:
    make_item(owner, status=Status.READY_TO_CONFIRM).confirm(tags=[SPELLING])


def created_in_bulk(owner: User) -> None:
    Item.objects.bulk_create([Item(owner=owner, raw_text="a", tags=[SPELLING])])


def enriched(owner: User) -> None:
    make_item(owner)
    (claimed,) = claim()
    finish([success(claimed, tags=(SPELLING, "b", "c"))])


def edited_in_the_admin(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    reviewer = staff_client("reviewer", *EVERY_VERB)
    reviewer.post(detail(item), {**form_of(reviewer, item), "tags": SPELLING, "_save": ""})


def edited_by_the_api(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    Api(owner).patch(f"/items/{item.pk}", {"tags": [SPELLING]})


def found_record() -> FoundRecord:
    return FoundRecord("line 1", ItemRecord.parse(line(tags=[SPELLING])))


def copied(owner: User) -> None:
    import_records([found_record()], ImportSummary(), owner=owner)


def inserted(owner: User) -> None:
    assert not _insert([found_record()], owner=owner)


WAYS_IN = [
    saved,
    edited,
    confirmed,
    created_in_bulk,
    enriched,
    edited_in_the_admin,
    edited_by_the_api,
    copied,
    inserted,
]


@pytest.mark.parametrize("write", WAYS_IN)
def test_every_way_in_writes_the_keys(owner: User, write: Callable[[User], None]) -> None:
    write(owner)

    item = Item.objects.get()
    assert item.tags[0] == SPELLING
    assert item.tag_keys
    assert item.tag_keys[0] == KEY


def test_keys_follow_the_tags_of_an_edit(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, tags=[SPELLING])

    item.edit(tags=["garden"])
    assert item.tag_keys is None

    item.edit(tags=["garden", SPELLING])
    assert item.tag_keys == ["garden", KEY]


def test_failed_attempt_keeps_the_keys(owner: User) -> None:
    make_item(owner, tags=[SPELLING])
    (claimed,) = claim()

    finish([success(claimed, status=Status.FAILED, title=None, tags=(), enrichment_error="LLM_TIMEOUT: Late.")])

    assert Item.objects.get().tag_keys == [KEY]


@pytest.mark.parametrize("wanted", [SPELLING, "STRASSE", "stra\u00adsse", "Straẞe", "\ufeffstrasse"])
def test_filter_finds_every_spelling(owner: User, wanted: str) -> None:
    for tags in ([SPELLING], ["strasse", "b"], ["b"]):
        make_item(owner, status=Status.ARCHIVED, tags=tags)

    found = Api(owner).get("/items", {"tag": wanted}).json()["items"]

    assert sorted(item["tags"] for item in found) == [["strasse", "b"], [SPELLING]]


def test_filter_finds_exact_spelling_without_keys(owner: User) -> None:
    """Such items were written before there were keys."""
    item = make_item(owner, status=Status.ARCHIVED, tags=[SPELLING])
    Item.objects.filter(pk=item.pk).update(tag_keys=None)

    assert len(Api(owner).get("/items", {"tag": SPELLING}).json()["items"]) == 1


def test_spellings_of_a_tag_are_counted_together(owner: User) -> None:
    for tags in (["straße", "b"], ["strasse", "b"], ["straße", "σίγμας"], ["b"], ["c", "σίγμασ"], ["b", "c"]):
        make_item(owner, status=Status.ARCHIVED, tags=tags)
    make_item(owner, status=Status.DISCARDED, tags=["strasse"])

    listed: Any = Api(owner).get("/tags").json()["tags"]

    assert [tuple(tag.values()) for tag in listed] == [("b", 4), ("straße", 3), ("c", 2), ("σίγμας", 2)]


def test_vocabulary_has_the_most_used_spelling(owner: User) -> None:
    for tags in (["straße"], ["strasse"], ["strasse", "σίγμας"], ["σίγμασ"]):
        make_item(owner, status=Status.ARCHIVED, tags=tags, confirmed_at=datetime(2026, 5, 1, tzinfo=UTC))

    assert at_once(most_used_tags(fetch, [owner.pk])) == {owner.pk: ("strasse", "σίγμας")}


def test_keys_that_do_not_fit_the_tags_do_no_harm(owner: User) -> None:
    """Plain SQL can leave them."""
    make_item(owner, status=Status.ARCHIVED, tags=["straße", "σίγμας"])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE items SET tags = '{b}'")

    assert [tag["name"] for tag in Api(owner).get("/tags").json()["tags"]] == ["b"]
    assert at_once(most_used_tags(fetch, [owner.pk])) == {owner.pk: ("b",)}
