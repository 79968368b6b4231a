"""The long version of tests/faults/test_worker_death.py."""

from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db.models import Count, Max, Q

from items.models import EnrichmentAttempt, Item
from items.states import Outcome, Status
from tests.plugins.commands import SlowListenerStarter
from tests.processes import kill
from tests.waiting import wait

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

LEASE_SECONDS, SWEEP_SECONDS = 2.0, 1.0
# The sweep may be a fifth late. The rest is for a busy machine.
LONGEST_SECONDS = LEASE_SECONDS + 1.2 * SWEEP_SECONDS + 1
SETTINGS = {
    "LITEVAULT_ENRICH_LEASE_SECONDS": str(LEASE_SECONDS),
    "LITEVAULT_ENRICH_SWEEP_SECONDS": str(SWEEP_SECONDS),
    "LITEVAULT_ENRICH_MAX_ATTEMPTS": "50",
}


def held_by(worker: str) -> set[UUID]:
    return set(Item.objects.filter(claimed_by=worker).values_list("pk", flat=True))


def test_twenty_deaths_during_calls_lose_nothing(owner: User, start_slow: SlowListenerStarter) -> None:
    names = ["worker-0", "worker-1"]
    workers = {name: start_slow(0.5, "--worker-id", name, **SETTINGS) for name in names}
    waits = []

    for death in range(20):
        victim = names[death]
        texts = [f"Text number {n} of round {death}." for n in range(6)]
        Item.objects.capture_many(owner=owner, raw_texts=texts)
        assert wait(lambda victim=victim: len(held_by(victim)) >= 2, seconds=20)  # type: ignore[misc]
        kill(workers[victim])
        held = held_by(victim)
        died_at = Item.objects.filter(pk__in=held).aggregate(at=Max("claimed_at"))["at"]
        names.append(f"worker-{death + 2}")
        workers[names[-1]] = start_slow(0.5, "--worker-id", names[-1], **SETTINGS)
        lost = EnrichmentAttempt.objects.filter(worker=victim, item__in=held, outcome=Outcome.LOST)
        assert wait(lambda lost=lost, held=held: lost.count() == len(held), seconds=20)  # type: ignore[misc]
        waits += [(attempt.finished_at - died_at).total_seconds() for attempt in lost]

    assert wait(lambda: not Item.objects.filter(status=Status.ENRICHING).exists(), seconds=30)
    print(f"\n{len(waits)} items of 20 dead workers were taken over within {max(waits):.2f} s")
    successes = Count("attempts", filter=Q(attempts__outcome=Outcome.SUCCEEDED))
    assert not Item.objects.annotate(n=successes).exclude(status=Status.READY_TO_CONFIRM, n=1).exists()
    assert max(waits) <= LONGEST_SECONDS
