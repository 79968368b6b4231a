"""The metrics of an events process."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Status
from tests.items.factories import make_item
from tests.litevault.events.client import Listening
from tests.plugins.events import Events, EventsStarter
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def events(start_events: EventsStarter) -> Events:
    """A process of the test's own, which counts from zero."""
    return start_events()


def told(events: Events) -> dict[str, float]:
    found = re.findall(r"^(litevault_\S+) (\S+)$", events.metrics(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_open_and_ended_streams_are_counted(events: Events, owner: User) -> None:
    before = told(events)
    with events.listen(owner), events.listen(owner):
        until(lambda: told(events)["litevault_event_streams"] == 2)
    until(lambda: told(events)["litevault_event_streams"] == 0)

    after = told(events)

    assert before["litevault_event_streams"] == 0
    assert before['litevault_event_streams_ended_total{cause="left"}'] == 0
    assert after['litevault_event_streams_ended_total{cause="left"}'] == 2
    assert after["litevault_event_streams_limit"] == 500


def test_events_are_counted_by_their_kind(events: Events, owner: User) -> None:
    with events.listen(owner) as stream:
        item = make_item(owner, status=Status.FAILED)
        stream.until(Status.FAILED, item.pk)
        one = told(events)
        Item.objects.capture_many(owner=owner, raw_texts=["text"] * 1500)
        while stream.event().name != "reset":
            pass

    assert one['litevault_events_total{event="item"}'] == 1
    assert one['litevault_events_total{event="reset"}'] == 0
    assert told(events)['litevault_events_total{event="reset"}'] >= 1


def test_refused_streams_are_counted_by_limit(start_events: EventsStarter, owner: User, stranger: User) -> None:
    events = start_events(LITEVAULT_EVENTS_STREAMS_PER_USER="1", LITEVAULT_EVENTS_STREAMS="2")

    with events.listen(owner), events.listen(stranger):
        events.listen(owner).close()
    until(lambda: told(events)["litevault_event_streams"] == 0)
    with events.listen(owner):
        events.listen(owner).close()
    counted = told(events)

    assert counted['litevault_event_streams_refused_total{cause="full"}'] == 1
    assert counted['litevault_event_streams_refused_total{cause="crowded"}'] == 1


def test_loss_and_return_of_the_listen_connection_are_counted(events: Events) -> None:
    before = told(events)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'litevault-events' AND datname = current_database()"
        )

    until(lambda: told(events)["litevault_listen_reconnects_total"] == 1)

    assert before["litevault_notify_healthy"] == 1
    assert before["litevault_listen_reconnects_total"] == 0
    until(lambda: told(events)["litevault_notify_healthy"] == 1)


def test_process_that_hears_nothing_says_so(start_events: EventsStarter) -> None:
    events = start_events(LITEVAULT_LISTEN_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    with Listening(events.port, path="/healthz") as asked:
        state = asked.answer.headers["X-LiteVault-Events"]

    assert told(events)["litevault_notify_healthy"] == 0
    assert state == "sweeping"
