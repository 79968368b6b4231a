"""A discard during enrichment: it does not wait for the model, and no result is written."""

import json
import time

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Outcome, Status
from litevault.accounts.models import ApiToken
from tests.plugins.commands import CommandStarter, SlowListenerStarter
from tests.privacy.web import web_server
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

FAR_SWEEP = {"LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}


def test_discard_in_flight_is_heeded_at_once(
    owner: User, start: CommandStarter, start_slow: SlowListenerStarter
) -> None:
    start_slow(30, **FAR_SWEEP)
    with web_server(start, token=ApiToken.objects.issue(user=owner, name="test")[1]) as web:
        web.capture("To be discarded.", key="one")
        until(lambda: Item.objects.filter(claimed_by__isnull=False).exists())
        item = Item.objects.get()

        asked_at = time.monotonic()
        answer = json.loads(web.call("PATCH", f"/api/v1/items/{item.pk}", {"action": "discard"}))
        answered_after = time.monotonic() - asked_at

    until(item.attempts.exists)
    attempt = item.attempts.get()
    item.refresh_from_db()
    cancelled_after = (attempt.finished_at - item.updated_at).total_seconds()
    print(f"answered after {answered_after * 1000:.0f} ms, cancelled after {cancelled_after * 1000:.0f} ms")
    assert answer["status"] == Status.DISCARDED
    assert attempt.outcome == Outcome.CANCELLED
    assert max(answered_after, cancelled_after) < 5, "the call would have taken 30 seconds"
    assert (item.status, item.title) == (Status.DISCARDED, None)


def test_edit_in_flight_is_answered_while_the_call_is_under_way(
    owner: User, start: CommandStarter, start_slow: SlowListenerStarter
) -> None:
    start_slow(5, **FAR_SWEEP)
    with web_server(start, token=ApiToken.objects.issue(user=owner, name="test")[1]) as web:
        web.capture("Not to be edited yet.", key="one")
        until(lambda: Item.objects.filter(claimed_by__isnull=False).exists())
        item = Item.objects.get()

        asked_at = time.monotonic()
        web.call("PATCH", f"/api/v1/items/{item.pk}", {"title": "Too early"})
        answered_after = time.monotonic() - asked_at

        is_under_way = Item.objects.filter(pk=item.pk, claimed_by__isnull=False).exists()

    print(f"answered after {answered_after * 1000:.0f} ms")
    assert is_under_way, "the answer waited for the model"
