"""PgBouncer in transaction mode: LISTEN does not work, which is noticed, and everything else does."""

import json
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.queue import CHANNEL_CANCELLED, CHANNEL_ENRICHING
from items.states import Outcome, Status
from litevault.accounts.models import ApiToken
from tests.database import database_url, reaches
from tests.faults.pgbouncer import PROGRAM, PgBouncer, running_pgbouncer
from tests.plugins.commands import CommandStarter, ListenerStarter, SlowListenerStarter
from tests.privacy.web import web_server
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (Debian: apt install pgbouncer)"),
]

FAR_SWEEP = {"LITEVAULT_ENRICH_SWEEP_SECONDS": "60"}
TEXTS = [f"Text number {n} says little." for n in range(50)]


@pytest.fixture
def pooler(transactional_db: None) -> Iterator[PgBouncer]:
    with running_pgbouncer() as pooler:
        yield pooler


def assert_each_was_enriched_exactly_once() -> None:
    until(lambda: not Item.objects.filter(status=Status.ENRICHING).exists())
    for item in Item.objects.prefetch_related("attempts"):
        assert item.status == Status.READY_TO_CONFIRM
        assert [attempt.outcome for attempt in item.attempts.all()] == [Outcome.SUCCEEDED]


def test_pooler_that_swallows_notifications_is_noticed(owner: User, start: CommandStarter, pooler: PgBouncer) -> None:
    """The listener's own probe would come back: the pooler gives it the server connection that LISTEN used."""
    behind = {"DATABASE_URL": pooler.url}
    listener = start("enrich_listener", "--concurrency", "10", **behind, **FAR_SWEEP)
    until(lambda: "listener.degraded" in listener.log.read_text())

    began = time.monotonic()
    Item.objects.capture_many(owner=owner, raw_texts=TEXTS)

    assert_each_was_enriched_exactly_once()
    print(f"{len(TEXTS)} items found by the sweep after {time.monotonic() - began:.1f} s")
    said = listener.log.read_text()
    assert "NotificationsSwallowed" in said
    assert said.count("listener.degraded") == 1, "it is said once"
    assert "listener.connected" not in said
    with web_server(start, token=ApiToken.objects.issue(user=owner, name="test")[1], **behind) as web:
        assert json.loads(web.call("GET", "/readyz"))["checks"] == {
            "database": "ok",
            "writable": "ok",
            "migrations": "ok",
            "triggers": "ok",
            "listener": "failed",
        }
        assert "litevault_listeners 0.0" in web.metrics()


def test_pooler_hands_nothing_of_ours_on_to_other_clients(
    owner: User, start: CommandStarter, pooler: PgBouncer
) -> None:
    """The pooler hands a session's state to the next client."""
    listener = start("enrich_listener", DATABASE_URL=pooler.url, **FAR_SWEEP)
    until(lambda: "listener.degraded" in listener.log.read_text())
    Item.objects.capture_many(owner=owner, raw_texts=TEXTS)
    until(lambda: not Item.objects.filter(status=Status.ENRICHING).exists())

    listener.terminate()

    assert listener.wait(PATIENCE_SECONDS) == 0
    assert pooler.every_session("SELECT pg_listening_channels()") & {CHANNEL_ENRICHING, CHANNEL_CANCELLED} == set()
    assert pooler.every_session("SELECT current_setting('synchronous_commit')") == {"on"}
    assert pooler.every_session("SELECT current_setting('statement_timeout')") == {"0"}
    assert pooler.every_session("SELECT count(*) FROM pg_prepared_statements") == {0}
    assert pooler.every_session("SELECT count(*) FROM pg_cursors") == {0}


def test_direct_listen_address_loses_nothing_behind_a_pooler(
    owner: User, start: CommandStarter, start_listener: ListenerStarter, pooler: PgBouncer
) -> None:
    behind = {"DATABASE_URL": pooler.url}
    listener = start_listener(LITEVAULT_LISTEN_DATABASE_URL=database_url(), **behind, **FAR_SWEEP)

    with web_server(start, token=ApiToken.objects.issue(user=owner, name="test")[1], **behind) as web:
        for number in range(20):
            web.capture(f"Text number {number}.", key=f"key-{number}")
            web.capture(f"Text number {number}.", key=f"key-{number}")
        assert_each_was_enriched_exactly_once()
        for item in Item.objects.all():
            web.call("PATCH", f"/api/v1/items/{item.pk}", {"action": "confirm"})
        ready = json.loads(web.call("GET", "/readyz"))
        metrics = web.metrics()

    assert Item.objects.filter(status=Status.ARCHIVED).count() == 20
    assert ready["status"] == "ok"
    assert "litevault_listeners 1.0" in metrics
    assert "listener.degraded" not in listener.log.read_text()


def test_discard_is_heard_behind_a_pooler(owner: User, start_slow: SlowListenerStarter, pooler: PgBouncer) -> None:
    start_slow(30, DATABASE_URL=pooler.url, LITEVAULT_LISTEN_DATABASE_URL=database_url(), **FAR_SWEEP)
    item = Item.objects.capture(owner=owner, raw_text="To be discarded.")
    until(lambda: Item.objects.filter(pk=item.pk, claimed_by__isnull=False).exists())

    item.discard()

    until(item.attempts.exists)
    assert item.attempts.get().outcome == Outcome.CANCELLED
    assert reaches(item, Status.DISCARDED).title is None
