"""Items that wait because a budget is spent say so."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from items.models import EnrichmentPause
from items.pauses import ALL_OWNERS
from items.states import Status
from tests.items.api.browser import Browser, url_of
from tests.items.api.client import Api
from tests.items.factories import make_item

UNTIL = datetime(2040, 6, 2, tzinfo=UTC)
SENTENCE = "The budget of the day is spent."


def pause(owner_id: int, *, until: datetime = UNTIL) -> None:
    EnrichmentPause.objects.create(reason="BUDGET", owner_id=owner_id, until=until)


@pytest.mark.parametrize("is_for_all", [True, False])
def test_item_says_until_when_it_waits(owner: User, *, is_for_all: bool) -> None:
    item = make_item(owner)
    before = Api(owner).get(f"/items/{item.id}").json()
    pause(ALL_OWNERS if is_for_all else owner.pk)

    after = Api(owner).get(f"/items/{item.id}").json()

    assert before["pausedUntil"] is None
    assert after == {**before, "pausedUntil": "2040-06-02T00:00:00Z", "pauseReason": "BUDGET"}


def test_pause_of_another_owner_or_of_yesterday_is_not_shown(owner: User, stranger: User) -> None:
    item = make_item(owner)
    pause(stranger.pk)
    pause(owner.pk, until=timezone.now() - timedelta(seconds=1))

    assert Api(owner).get(f"/items/{item.id}").json()["pausedUntil"] is None


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ENRICHING])
def test_item_that_needs_no_enrichment_does_not_wait(owner: User, status: Status) -> None:
    item = make_item(owner, status=status)
    pause(owner.pk)

    assert Api(owner).get(f"/items/{item.id}").json()["pausedUntil"] is None
    assert SENTENCE not in Browser(owner).open(url_of(item))


def test_pause_is_not_hidden_by_a_conditional_request(owner: User) -> None:
    item = make_item(owner)
    etag = Api(owner).get(f"/items/{item.id}")["ETag"]
    pause(owner.pk)

    response = Api(owner).get(f"/items/{item.id}", If_None_Match=etag)
    discarded = Api(owner).patch(f"/items/{item.id}", {"action": "discard"}, If_Match=etag)

    assert (response.status_code, response["ETag"]) == (200, etag)
    assert discarded.status_code == 200, "the pause is no change of the item"


@pytest.mark.parametrize("url", ["/api/v1/items/pending", "{item}"])
def test_pages_say_until_when_items_wait(owner: User, stranger: User, url: str) -> None:
    item, other = make_item(owner), make_item(stranger)
    pause(owner.pk)

    page = Browser(owner).open(url.format(item=url_of(item)))
    page_of_other = Browser(stranger).open(url.format(item=url_of(other)))

    assert SENTENCE in page
    assert "2 Jun 2040, 00:00 UTC" in page
    assert SENTENCE not in page_of_other
