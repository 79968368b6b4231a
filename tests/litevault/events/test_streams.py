"""The events that clients receive from a real process over HTTP."""

import re
import time

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Status
from litevault.accounts.models import ApiToken
from litevault.events.feed import SWEEP_SECONDS
from tests.items.factories import RAW_TEXT, make_item
from tests.items.other_connection import other_connection
from tests.litevault.events.client import connections
from tests.plugins.commands import ListenerStarter
from tests.plugins.events import Events, EventsStarter
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def capture(owner: User) -> Item:
    return Item.objects.capture(owner=owner, raw_text=RAW_TEXT)


def test_capture_is_seen_enriched_within_a_moment(events: Events, owner: User, start_listener: ListenerStarter) -> None:
    start_listener(LITEVAULT_LLM_PROVIDER="stub")

    with events.listen(owner) as stream:
        item = capture(owner)
        told = stream.until(Status.READY_TO_CONFIRM, item.pk)

    item.refresh_from_db()
    assert told == {
        "id": str(item.pk),
        "status": "READY_TO_CONFIRM",
        "title": item.title,
        "updatedAt": item.updated_at.isoformat().replace("+00:00", "Z"),
    }


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (Status.READY_TO_CONFIRM, Item.confirm, Status.ARCHIVED),
        (Status.READY_TO_CONFIRM, Item.discard, Status.DISCARDED),
        (Status.FAILED, Item.retry, Status.ENRICHING),
        (Status.ARCHIVED, lambda item: item.edit(title="A better title"), Status.ARCHIVED),
    ],
    ids=["confirm", "discard", "retry", "edit"],
)
def test_change_is_sent_without_waiting_for_a_sweep(
    events: Events, owner: User, before: str, change: object, after: str
) -> None:
    item = make_item(owner, status=before)
    with events.listen(owner) as stream:
        stream.until(before, item.pk)  # it was created just before

        asked_at = time.monotonic()
        change(item)  # type: ignore[operator]  # a method of the item
        told = stream.until(after, item.pk)

    assert told["title"] == item.title
    assert time.monotonic() - asked_at < SWEEP_SECONDS


def test_other_users_receive_no_events_of_the_owner(events: Events, owner: User, stranger: User) -> None:
    with events.listen(owner) as own, events.listen(stranger) as other:
        hidden = capture(owner)
        own.until(Status.ENRICHING, hidden.pk)
        seen = capture(stranger)

        first = other.event()

    assert first.data["id"] == str(seen.pk)


def test_reconnecting_client_receives_what_it_missed(events: Events, owner: User) -> None:
    with events.listen(owner) as stream:
        before = capture(owner)
        stream.until(Status.ENRICHING, before.pk)
        position = stream.last_id
    missed = make_item(owner, status=Status.FAILED)
    # Further back than the changes that a new client receives.
    move_back(seconds=3600)

    with events.listen(owner, last_event_id=str(int(position) - 3600 * 10**6)) as stream:
        told = stream.until(Status.FAILED, missed.pk)
    with events.listen(owner) as stream:
        after = capture(owner)
        first = stream.event()

    assert told["updatedAt"] < after.updated_at.isoformat()
    assert first.data["id"] == str(after.pk)


def move_back(*, seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE items SET updated_at = updated_at - make_interval(secs => %s)", [seconds])


def test_row_that_is_committed_late_is_sent(events: Events, owner: User) -> None:
    with events.listen(owner) as stream, other_connection(autocommit=False) as slow:
        late = slow.execute(
            "INSERT INTO items (owner_id, raw_text) VALUES (%s, 'late') RETURNING id", (owner.pk,)
        ).fetchone()
        for _ in range(3):
            stream.until(Status.ENRICHING, capture(owner).pk)
        slow.execute("SELECT pg_sleep(3)")  # longer than a reading at a notification looks back
        slow.commit()

        assert late
        stream.until(Status.ENRICHING, late[0])


def test_change_without_notification_is_sent_at_the_next_sweep(events: Events, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    with events.listen(owner) as stream:
        stream.until(Status.FAILED, item.pk)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE items DISABLE TRIGGER items_notify_changed_update")
            try:
                item.discard()
            finally:
                cursor.execute("ALTER TABLE items ENABLE TRIGGER items_notify_changed_update")

        stream.until(Status.DISCARDED, item.pk)


def test_item_is_sent_once_despite_many_notifications(events: Events, owner: User) -> None:
    with events.listen(owner) as stream:
        first = capture(owner)
        told = [stream.event()]
        for _ in range(5):
            make_item(owner, status=Status.FAILED)
            told.append(stream.event())

    names = [event.data["id"] for event in told]
    assert names[0] == str(first.pk)
    assert len(names) == len(set(names))


@pytest.mark.thorough
def test_too_many_changes_reset_the_client(start_events: EventsStarter, owner: User) -> None:
    with start_events().listen(owner) as stream:
        Item.objects.capture_many(owner=owner, raw_texts=["text"] * 1500)

        assert stream.event().name == "reset"


@pytest.mark.parametrize("position", ["yesterday", "-1", "9999999999999999", "99999999999999999999"])
def test_position_that_was_never_given_out_resets_the_client(events: Events, owner: User, position: str) -> None:
    with events.listen(owner, last_event_id=position) as stream:
        assert stream.event().name == "reset"


@pytest.mark.thorough
def test_heartbeats_carry_the_position(start_events: EventsStarter, owner: User) -> None:
    events = start_events(LITEVAULT_EVENTS_HEARTBEAT_SECONDS="1")

    with events.listen(owner) as stream:
        stream.heartbeat()
        first = stream.last_id
        stream.heartbeat()
        lines = stream.heartbeat()
        while stream.last_id == first:  # the position moves on with the next sweep
            lines = stream.heartbeat()

    assert re.fullmatch(r"id: [0-9]{16}", lines[1])


def test_lost_listen_connection_is_replaced_and_no_change_missed(events: Events, owner: User) -> None:
    with events.listen(owner) as stream:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid()"
            )
        item = capture(owner)
        stream.until(Status.ENRICHING, item.pk)
        until(lambda: "listener.connected" in events.log())
        make_item(owner, status=Status.FAILED)
        assert stream.event().data["status"] == "FAILED"

    assert connections() == 1


def test_revoked_token_ends_its_stream_and_no_other(events: Events, owner: User, stranger: User) -> None:
    with events.listen(owner) as stream, events.listen(stranger) as other:
        ApiToken.objects.filter(user=owner).revoke()
        stream.until_it_ends()
        item = capture(stranger)
        other.until(Status.ENRICHING, item.pk)

    assert "cause=unauthorized" in events.log()


def test_streams_end_at_once_when_the_process_stops(start_events: EventsStarter, owner: User) -> None:
    events = start_events(LITEVAULT_EVENTS_HEARTBEAT_SECONDS="1")

    with events.listen(owner) as stream, events.listen(owner) as another:
        stream.heartbeat()

        asked_at = time.monotonic()
        events.stop()
        stopped_in = time.monotonic() - asked_at

        stream.until_it_ends()
        another.until_it_ends()
    assert events.process.returncode == 0
    assert stopped_in < 9, "granian kills after ten"
