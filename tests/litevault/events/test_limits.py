"""Many clients, slow clients, and clients beyond the limits."""

import json
import socket
import time
from contextlib import ExitStack

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from items.models import Item
from items.states import Status
from tests.items.factories import make_item
from tests.litevault.events.client import HOST, Listening, connections, token_of
from tests.plugins.events import Events, EventsStarter
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)


def test_streams_are_limited_per_user(start_events: EventsStarter, owner: User, stranger: User) -> None:
    events = start_events(LITEVAULT_EVENTS_STREAMS_PER_USER="2")

    with events.listen(owner), events.listen(owner):
        refused = events.listen(owner)
        with events.listen(stranger):
            error = json.loads(refused.answer.read())["error"]
        refused.close()
    until(lambda: events.log().count("stream.ended") == 3)
    with events.listen(owner):
        pass

    assert (refused.answer.status, error["code"]) == (429, "RATE_LIMITED")
    assert error["requestId"] == refused.answer.headers["X-Request-Id"]
    assert int(refused.answer.headers["Retry-After"]) > 0


def test_process_that_is_full_says_so(start_events: EventsStarter, owner: User, stranger: User) -> None:
    events = start_events(LITEVAULT_EVENTS_STREAMS="1")

    with events.listen(owner):
        refused = events.listen(stranger)
        error = json.loads(refused.answer.read())["error"]
        refused.close()

    assert (refused.answer.status, error["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(refused.answer.headers["Retry-After"]) > 0


def test_two_hundred_clients_share_one_listen_connection(start_events: EventsStarter, owner: User) -> None:
    events = start_events(LITEVAULT_EVENTS_STREAMS_PER_USER="200", LITEVAULT_THROTTLE_PER_MINUTE="0")
    token = token_of(owner)
    with ExitStack() as stack:
        streams = [
            stack.enter_context(Listening(events.port, Authorization=f"Bearer {token}")) for _number in range(200)
        ]
        held = len(psutil.Process(events.process.pid).children(recursive=True)[-1].net_connections())
        item = make_item(owner, status=Status.FAILED)
        heard = {stream.event().data["id"] for stream in streams}

    assert heard == {str(item.pk)}
    assert connections() == 1
    assert held < 200 + 12, "a connection to the database for every client"


def test_client_that_does_not_read_is_dropped_alone(start_events: EventsStarter, owner: User, stranger: User) -> None:
    events = start_events()
    Item.objects.capture_many(owner=owner, raw_texts=["text"] * 900)
    mine = Item.objects.filter(owner=owner)
    title = "x" * 100

    with slow_client(events, owner), events.listen(stranger) as other:
        number = 0
        gives_up_at = time.monotonic() + PATIENCE_SECONDS
        while "cause=slow" not in events.log():
            number += 1
            mine.update(title=f"{number} {title}"[:100], updated_at=timezone.now())
            seen = make_item(stranger, status=Status.FAILED)
            other.until(Status.FAILED, seen.pk)
            assert time.monotonic() < gives_up_at, "it was never let go"

    assert "cause=slow" in events.log()


def slow_client(events: Events, user: User) -> socket.socket:
    """Send a request and never read the response."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((HOST, events.port))
    head = f"GET /api/v1/events HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token_of(user)}\r\n\r\n"
    client.sendall(head.encode())
    return client
