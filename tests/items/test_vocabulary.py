"""The tags that an owner uses most."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items import vocabulary
from items.states import Status
from items.vocabulary import MOST_USED, TAGS_COUNT
from tests.items.factories import make_item
from tests.items.queue.protocol import at_once, fetch

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def most_used_tags(owner_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    return at_once(vocabulary.most_used_tags(fetch, owner_ids))


def archive(owner: User, *tags: str, minute: int = 0) -> None:
    make_item(owner, status=Status.ARCHIVED, tags=list(tags), confirmed_at=NOON + timedelta(minutes=minute))


def test_most_used_tag_comes_first(owner: User) -> None:
    archive(owner, "rivers", "herons")
    archive(owner, "walks", "herons")
    archive(owner, "rivers", "herons")

    assert most_used_tags([owner.pk]) == {owner.pk: ("herons", "rivers", "walks")}


def test_tags_of_other_owners_are_separate(owner: User, stranger: User) -> None:
    archive(owner, "rivers")
    archive(stranger, "secret project")

    assert most_used_tags([owner.pk]) == {owner.pk: ("rivers",)}
    assert most_used_tags([owner.pk, stranger.pk]) == {owner.pk: ("rivers",), stranger.pk: ("secret project",)}


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ARCHIVED])
def test_unconfirmed_tags_do_not_count(owner: User, status: Status) -> None:
    make_item(owner, status=status, tags=["drafted"])

    assert most_used_tags([owner.pk]) == {owner.pk: ()}


def test_at_most_thirty_tags_are_returned(owner: User) -> None:
    for number in range(TAGS_COUNT):
        archive(owner, f"tag {number}", f"other {number}", "common")

    (tags,) = most_used_tags([owner.pk]).values()

    assert len(tags) == TAGS_COUNT
    assert tags[0] == "common"


def test_only_recently_confirmed_items_are_read(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "ITEMS_COUNT", 2)
    archive(owner, "long ago", minute=0)
    archive(owner, "lately", minute=2)
    archive(owner, "then", minute=1)

    assert most_used_tags([owner.pk]) == {owner.pk: ("lately", "then")}


def test_vocabulary_uses_its_own_index(owner: User) -> None:
    with connection.cursor() as cursor:
        # The statistics that other tests leave do not count: a plan that sorts the items costs more.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {MOST_USED}", {"owner_ids": [owner.pk], "items_count": 500, "tags_count": 30})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Scan using items_vocabulary" in plan
    assert not [key for key in re.findall("Sort Key: (.*)", plan) if "confirmed_at" in key]
