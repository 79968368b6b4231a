"""Workers that die, freeze, or meet a text that kills them: nothing is lost, done twice, or written late."""

import random
import signal

import pytest
from django.contrib.auth.models import User
from django.db.models import Count, Q

from items.models import Item
from items.states import Outcome, Status
from tests.database import reaches
from tests.plugins.commands import SlowListenerStarter
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"LITEVAULT_ENRICH_LEASE_SECONDS": "1", "LITEVAULT_ENRICH_SWEEP_SECONDS": "0.5"}


def capture(owner: User, count: int) -> list[Item]:
    return Item.objects.capture_many(owner=owner, raw_texts=[f"Text number {n} says little." for n in range(count)])


def done() -> int:
    count: int = Item.objects.exclude(status=Status.ENRICHING).count()
    return count


def assert_each_item_was_enriched_exactly_once() -> None:
    successes = Count("attempts", filter=Q(attempts__outcome=Outcome.SUCCEEDED))
    wrong = Item.objects.annotate(successes=successes).exclude(status=Status.READY_TO_CONFIRM, successes=1)
    assert list(wrong.values_list("status", "attempt_count", "successes")) == []
    assert not Item.objects.filter(claimed_by__isnull=False).exists()


def test_workers_that_are_killed_in_the_middle_lose_nothing(owner: User, start_slow: SlowListenerStarter) -> None:
    choose = random.Random(4)
    settings = {**QUICK, "LITEVAULT_ENRICH_MAX_ATTEMPTS": "50"}
    capture(owner, 300)

    for _ in range(5):
        workers = [start_slow(0.5, **settings), start_slow(0.5, **settings)]
        before = done()
        until(lambda before=before: done() > before + 2)  # type: ignore[misc]
        for worker in choose.sample(workers, 2):
            worker.kill()
            worker.wait()
    start_slow(0.01, **settings)
    until(lambda: done() == 300)

    assert_each_item_was_enriched_exactly_once()
    assert Item.objects.filter(attempts__outcome=Outcome.LOST).exists(), "nobody was killed in the middle"


def test_frozen_worker_that_thaws_writes_nothing_and_goes_on(owner: User, start_slow: SlowListenerStarter) -> None:
    (item,) = capture(owner, 1)
    frozen = start_slow(0.5, "--worker-id", "frozen", **QUICK)
    until(lambda: Item.objects.filter(claimed_by="frozen").exists())
    frozen.send_signal(signal.SIGSTOP)
    peer = start_slow(0.01, "--worker-id", "peer", **QUICK)
    reaches(item, Status.READY_TO_CONFIRM).confirm(title="The owner's own title")
    peer.terminate()
    peer.wait()

    frozen.send_signal(signal.SIGCONT)

    (later,) = capture(owner, 1)
    reaches(later, Status.READY_TO_CONFIRM)
    item.refresh_from_db()
    late, counted = item.attempts.order_by("number")
    assert (item.status, item.title) == (Status.ARCHIVED, "The owner's own title")
    # Its reply or the loss of its lease may come first: either way, only the attempt is kept.
    assert (late.worker, late.outcome) in {("frozen", Outcome.STALE), ("frozen", Outcome.LOST)}
    assert (counted.worker, counted.outcome) == ("peer", Outcome.SUCCEEDED)


def test_text_that_kills_every_worker_is_abandoned(
    owner: User, stranger: User, start_slow: SlowListenerStarter
) -> None:
    poison = Item.objects.capture(owner=owner, raw_text="poison")

    for _ in range(10):
        worker = start_slow(0.01, **QUICK, LITEVAULT_ENRICH_MAX_ATTEMPTS="2")
        item = Item.objects.capture(owner=stranger, raw_text="harmless")
        until(lambda: worker.poll() is not None or Item.objects.get(pk=poison.pk).status == Status.FAILED)  # noqa: B023
        if worker.poll() is None:
            break
    reaches(item, Status.READY_TO_CONFIRM)

    poison.refresh_from_db()
    assert poison.error_reason == "ABANDONED"
    assert list(poison.attempts.order_by("number").values_list("outcome", flat=True)) == [
        Outcome.LOST,
        Outcome.LOST,
        Outcome.FAILED,
    ]
