"""Many requests at once, to two web workers that share nothing but the database."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User

from items.models import IdempotencyKey, Item
from tests.hardening.production import PRODUCTION, TWO_WORKERS
from tests.items.factories import make_item
from tests.plugins.commands import CommandStarter
from tests.privacy.web import Web, web_server
from tests.together import at_once
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

Answer = tuple[int, dict[str, str], Any]


class Client:
    """Sends requests as the owner of a token, each on a connection of its own."""

    def __init__(self, address: str, token: str) -> None:
        self.host = address.removeprefix("http://")
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{path}", content, self.headers | headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.load(answer)
        finally:
            connection.close()


@pytest.fixture
def client(shared_web: Web, token: str) -> Client:
    return Client(shared_web.address, token)


def test_fifty_equal_requests_at_once_make_one_item(client: Client) -> None:
    body = {"rawText": "Once and only once."}

    answers = at_once(50, lambda _: client.ask("POST", "/items", body, **{"Idempotency-Key": "key"}))

    assert Item.objects.count() == 1
    assert {status for status, _, _ in answers} <= {201, 409}
    made = [(headers, answer) for status, headers, answer in answers if status == 201]
    assert [answer["id"] for _, answer in made] == [str(Item.objects.get().id)] * len(made)
    assert sum("idempotency-replayed" not in headers for headers, _ in made) == 1
    refused = {answer["error"]["code"] for status, _, answer in answers if status == 409}
    assert refused <= {"DUPLICATE_REQUEST"}


def test_fifty_different_requests_with_one_key_make_one_item(client: Client) -> None:
    answers = at_once(
        50, lambda number: client.ask("POST", "/items", {"rawText": f"Text {number}"}, **{"Idempotency-Key": "key"})
    )

    assert Item.objects.count() == IdempotencyKey.objects.count() == 1
    assert sum(status == 201 for status, _, _ in answers) == 1
    codes = {answer["error"]["code"] for status, _, answer in answers if status != 201}
    assert codes <= {"DUPLICATE_REQUEST", "IDEMPOTENCY_KEY_REUSED"}
    status, _, answer = client.ask("POST", "/items", {"rawText": "Another."}, **{"Idempotency-Key": "key"})
    assert (status, answer["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_pages_show_every_item_once_while_others_are_captured(client: Client, owner: User) -> None:
    there_before = [str(make_item(owner).id) for _ in range(60)]
    stop = threading.Event()

    def capture() -> int:
        made = 0
        while not stop.is_set():
            assert client.ask("POST", "/items", {"rawText": "Meanwhile."})[0] == 201
            made += 1
        return made

    with ThreadPoolExecutor(2) as pool:
        capturing = [pool.submit(capture) for _ in range(2)]
        seen = list(all_pages(client))
        stop.set()

    assert len(seen) == len(set(seen))
    assert [item_id for item_id in seen if item_id in set(there_before)] == there_before[::-1]
    assert all(done.result() for done in capturing), "nothing was captured meanwhile"


def test_workers_count_the_requests_of_a_user_together(start: CommandStarter, token: str) -> None:
    settings = PRODUCTION | {"LITEVAULT_THROTTLE_PER_MINUTE": "20"}
    with web_server(start, token=token, more=TWO_WORKERS, **settings) as web:
        client = Client(web.address, token)
        began = time.monotonic()

        answers = at_once(40, lambda _: client.ask("GET", "/items"))

    came_back = (time.monotonic() - began) / 3  # one every three seconds
    taken = [status for status, _, _ in answers].count(200)
    refused = [headers for status, headers, _ in answers if status == 429]
    assert 20 <= taken <= 21 + came_back
    assert len(refused) == 40 - taken
    assert all(1 <= int(headers["retry-after"]) <= 3 for headers in refused)


def all_pages(client: Client) -> Iterator[str]:
    cursor = ""
    while True:
        _, _, page = client.ask("GET", f"/items?limit=3&cursor={cursor}")
        yield from (item["id"] for item in page["items"])
        if not page["pagination"]["hasMore"]:
            return
        cursor = page["pagination"]["cursor"]
