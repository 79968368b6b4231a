"""No answer grows with what a user has stored: neither its size, nor its queries, nor the memory that it takes."""

import tracemalloc
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from items.models import Item
from items.reasons import Reason
from items.usage import ATTEMPTS_SHOWN
from tests.items.api.client import Api
from tests.items.factories import make_attempt, make_item

FEW, MANY = 300, 3_000
PATHS = [
    "/api/v1/items?limit=100",
    "/api/v1/items?limit=100&q=text",
    "/api/v1/items?limit=100&tag=common",
    "/api/v1/items/pending",
    "/api/v1/items/{item}",
    "/api/v1/tags",
    "/api/v1/tags?limit=1000",
    "/account",
    "/admin/",
    "/admin/items/item/",
    "/admin/items/item/?status=READY_TO_CONFIRM",
    "/admin/items/item/?status=FAILED",
    "/admin/items/item/?q=title",
    "/admin/items/item/{item}/change/",
    "/admin/items/item/{item}/history/",
    "/admin/items/auditevent/",
    "/admin/accounts/apitoken/",
    "/admin/auth/user/{owner}/change/",
    "/admin/auth/user/{owner}/delete/",
    "/readyz",
]
STORE = """
    INSERT INTO items (owner_id, raw_text, title, summary, tags, source_type, status, created_at)
    SELECT %(owner)s, 'text ' || repeat('long ', CASE WHEN number %% 10 = 0 THEN 10000 ELSE 20 END), 'title', 'summary',
           array_append(ARRAY(SELECT 'tag ' || number || ' ' || n FROM generate_series(1, 18) n), 'common'),
           'NOTE', 'READY_TO_CONFIRM', '2026-05-01T12:00:00Z'::timestamptz + make_interval(secs => number)
    FROM generate_series(%(first)s, %(last)s) number
"""
ATTEMPT = """
    INSERT INTO enrichment_attempts (
        item_id, number, fencing_token, worker, started_at, finished_at, outcome, error_code
    )
    SELECT %(item)s, number, number, 'worker', now(), now(), 'FAILED', 'LLM_TIMEOUT'
    FROM generate_series(%(first)s, %(last)s) number
"""
FAILED = """
    INSERT INTO items (owner_id, raw_text, status, enrichment_error, error_reason)
    SELECT %(owner)s, 'text', 'FAILED', 'CODE: Why.', (%(reasons)s::text[])[number %% 20 + 1]
    FROM generate_series(%(first)s, %(last)s) number
"""
SPARE_BYTES = 2 * 2**20


@dataclass(frozen=True)
class Cost:
    size: int
    queries: int
    memory: int


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db
def test_no_answer_grows_with_what_is_stored(admin_user: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 0  # the time that a slow search takes is charged in a statement of its own
    item = make_item(admin_user, status="FAILED")
    store(admin_user, item, 1, FEW)
    client = Client()
    client.force_login(admin_user)
    before = costs(client, admin_user, item)

    store(admin_user, item, FEW + 1, MANY)
    after = costs(client, admin_user, item)

    grown = {
        path: (before[path], cost)
        for path, cost in after.items()
        if cost.size > before[path].size * 1.05 + 200
        or cost.queries > before[path].queries
        or cost.memory > before[path].memory * 1.2 + SPARE_BYTES
    }
    assert not grown
    assert {path for path, cost in after.items() if cost.size > SPARE_BYTES} == set()


def store(owner: User, item: Item, first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STORE, {"owner": owner.pk, "first": first, "last": last})
        cursor.execute(FAILED, {"owner": owner.pk, "first": first, "last": last, "reasons": list(Reason)})
        cursor.execute(ATTEMPT, {"item": item.pk, "first": first, "last": last})
        cursor.execute("ANALYZE items, enrichment_attempts")


def costs(client: Client, owner: User, item: Item) -> dict[str, Cost]:
    found = {}
    for path in PATHS:
        address = path.format(item=item.pk, owner=owner.pk)
        for accept in ("application/json", "text/html"):
            client.get(address, headers={"accept": accept})  # what is read once
            tracemalloc.start()
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address, headers={"accept": accept})
            _, memory = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert response.status_code == (503 if path == "/readyz" else 200), (path, accept, response.status_code)
            found[f"{path} {accept}"] = Cost(len(response.content), len(queries), memory)
    return found


@pytest.mark.django_db
def test_detail_has_the_last_attempts_and_the_usage_of_all(owner: User) -> None:
    item = make_item(owner, status="FAILED")
    for number in range(1, ATTEMPTS_SHOWN + 3):
        make_attempt(item, number=number, model="m", prompt_tokens=number, cost_usd="0.5")

    detail = Api(owner).get(f"/items/{item.pk}").json()

    assert [attempt["number"] for attempt in detail["attempts"]] == list(range(3, ATTEMPTS_SHOWN + 3))
    assert detail["usage"] == {
        "promptTokens": sum(range(ATTEMPTS_SHOWN + 3)),
        "completionTokens": None,
        "costUsd": f"{(ATTEMPTS_SHOWN + 2) / 2:.8f}",
    }
