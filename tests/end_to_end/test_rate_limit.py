"""A provider with a rate limit, over real HTTP: no item fails, few requests are refused, and little time is lost.

`make soak` runs the full size, and prints the figures.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User

from items.models import EnrichmentAttempt, Item
from items.states import Outcome, Status
from tests.enrichment.fake_llm_server import serving
from tests.enrichment.rate_limits import FixedWindow, RateLimiter, SlidingWindow
from tests.plugins.commands import ListenerStarter
from tests.waiting import wait

pytestmark = pytest.mark.django_db(transaction=True)


class Size(NamedTuple):
    texts: int
    concurrency: int
    requests: int
    seconds: float
    max_refused: float
    """For each text. Until the first refusal comes back, requests are sent as fast as there are slots."""


SMALL = Size(texts=60, concurrency=20, requests=10, seconds=1.0, max_refused=1.0)
FULL = Size(texts=350, concurrency=50, requests=10, seconds=10.0, max_refused=0.2)
FULL_MARKS = [pytest.mark.soak, pytest.mark.timeout(1200)]
PATIENCE_SECONDS = 1000.0


@pytest.mark.parametrize(
    ("size", "limit", "processes"),
    [
        pytest.param(SMALL, SlidingWindow, 2, id="small"),
        pytest.param(FULL, FixedWindow, 1, id="fixed-1", marks=FULL_MARKS),
        pytest.param(FULL, SlidingWindow, 1, id="sliding-1", marks=FULL_MARKS),
        pytest.param(FULL, SlidingWindow, 2, id="sliding-2", marks=FULL_MARKS),
    ],
)
def test_rate_limit_fails_no_item(
    size: Size,
    limit: Callable[..., RateLimiter],
    processes: int,
    owner: User,
    start_listener: ListenerStarter,
) -> None:
    with serving() as model:
        model.limit = limit(size.requests, size.seconds, time.monotonic)
        for _ in range(processes):
            start_listener(
                LITEVAULT_LLM_PROVIDER="litellm",
                LITEVAULT_LLM_API_BASE=model.url,
                LITEVAULT_LLM_CONCURRENCY=f"{size.concurrency // processes}",
                OPENAI_API_KEY="sk-test",
            )
        for number in range(size.texts):
            Item.objects.capture(owner=owner, raw_text=f"The lighthouse keeper repaired lamp {number}.")
        began_at = time.monotonic()

        assert wait(lambda: count(Status.READY_TO_CONFIRM) == size.texts, seconds=PATIENCE_SECONDS)

    seconds = time.monotonic() - began_at
    refused = model.refused / size.texts
    postponed = EnrichmentAttempt.objects.exclude(outcome=Outcome.SUCCEEDED).count()
    best = size.texts / size.requests * size.seconds
    print(f"{seconds:.0f} s of at best {best:.0f}, {refused:.2f} refused a draft, {postponed} attempts postponed")
    assert count(Status.FAILED) == 0
    assert refused <= size.max_refused


def count(status: Status) -> int:
    found: int = Item.objects.filter(status=status).count()
    return found
