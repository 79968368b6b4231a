"""An outage of the provider, over real HTTP: few requests meanwhile, and no help needed afterwards.

The outage is short, to save time. Run a longer one by hand, which prints its figures::

    OUTAGE_SECONDS=30 .venv/bin/python -m pytest tests/end_to_end/test_provider_outage.py -s
"""

import os
from collections.abc import Callable, Iterator
from threading import Timer

import pytest
from django.contrib.auth.models import User

from enrichment.breaker import BACKOFF, FAILURES_TO_OPEN
from items.models import EnrichmentAttempt, Item
from items.states import Outcome, Status
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.plugins.commands import ListenerStarter
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 60
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "7"))
RETRIES = 2
CONCURRENCY = 3
CLAIMED_AHEAD = 1
# Requests that open the breaker, and those in flight when it opens.
ATTEMPTS_UNTIL_IT_OPENS = FAILURES_TO_OPEN + CONCURRENCY - 1 + CLAIMED_AHEAD


@pytest.fixture
def model(port: int) -> Iterator[FakeLLMServer]:
    """A server that is not started yet: until then, connections are refused."""
    server = FakeLLMServer(port=port)
    yield server
    server.stop()


@pytest.fixture
def items(owner: User) -> None:
    for number in range(ITEMS):
        Item.objects.capture(owner=owner, raw_text=f"The lighthouse keeper repaired lamp {number}.")


@pytest.fixture
def start_worker(start_listener: ListenerStarter, port: int) -> Callable[[], object]:
    return lambda: start_listener(
        LITEVAULT_LLM_PROVIDER="litellm",
        LITEVAULT_LLM_API_BASE=f"http://127.0.0.1:{port}/v1",
        LITEVAULT_LLM_MAX_RETRIES=str(RETRIES),
        LITEVAULT_LLM_CONCURRENCY=str(CONCURRENCY),
        OPENAI_API_KEY="sk-test",
    )


def most_attempts(outage_seconds: float) -> int:
    """Return how many requests an outage of this length may cost: the pauses between probes double."""
    pause, probes, last_at = BACKOFF.first_seconds, 0, 0.0
    while (last_at := last_at + pause) < outage_seconds:
        pause, probes = min(pause * 2, BACKOFF.longest_seconds), probes + 1
    return ATTEMPTS_UNTIL_IT_OPENS + probes


def all_ready() -> bool:
    ready: int = Item.objects.filter(status=Status.READY_TO_CONFIRM).count()
    return ready == ITEMS


def failed_attempts() -> int:
    return EnrichmentAttempt.objects.exclude(outcome=Outcome.SUCCEEDED).count()


def test_outage_costs_few_requests_and_is_survived(
    items: None, model: FakeLLMServer, start_worker: Callable[[], object]
) -> None:
    requests: list[int] = []

    def recover() -> None:
        model.script("ok")
        requests.append(len(model.calls))

    model.script("status_503")
    model.start()
    start_worker()
    until(lambda: model.calls)
    outage = Timer(OUTAGE_SECONDS, recover)
    outage.start()
    outage.join()

    until(all_ready)

    print(f"{OUTAGE_SECONDS:g} s of 503: {requests[0]} requests, {failed_attempts()} attempts")
    assert failed_attempts() <= most_attempts(OUTAGE_SECONDS)
    assert requests[0] <= most_attempts(OUTAGE_SECONDS) * (1 + RETRIES)
    assert len(model.calls) - requests[0] <= ITEMS


def test_items_are_enriched_once_the_provider_is_reachable(
    items: None, model: FakeLLMServer, start_worker: Callable[[], object]
) -> None:
    start_worker()
    until(lambda: failed_attempts() >= FAILURES_TO_OPEN)
    model.start()

    until(all_ready)

    assert failed_attempts() <= most_attempts(BACKOFF.first_seconds)
    assert len(model.calls) == ITEMS
