"""Listeners on several hosts share the queue: the others take over from one that is cut off, until it is back."""

import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db.models import Count, Q

from items.models import EnrichmentAttempt, Item
from items.states import Outcome, Status
from tests.database import reaches
from tests.faults.hosts import Host, NoNamespaces, hosts_behind_proxies, hosts_in_namespaces
from tests.plugins.commands import CommandStarter
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)

LEASE_SECONDS = 3
QUICK = {"LITEVAULT_ENRICH_LEASE_SECONDS": str(LEASE_SECONDS), "LITEVAULT_ENRICH_SWEEP_SECONDS": "1"}
ITEMS = 60


@pytest.fixture(params=[hosts_in_namespaces, hosts_behind_proxies])
def hosts(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[list[Host]]:
    try:
        with request.param(3) as hosts:
            yield hosts
    except NoNamespaces as reason:
        pytest.skip(f"no network namespaces here: {reason}")


def enriching() -> int:
    count: int = Item.objects.filter(status=Status.ENRICHING).count()
    return count


def successes_of(host: Host) -> int:
    return EnrichmentAttempt.objects.filter(worker=host.name, outcome=Outcome.SUCCEEDED).count()


def test_peers_take_over_from_a_host_that_is_cut_off(owner: User, hosts: list[Host], start: CommandStarter) -> None:
    listeners = [host.start_listener(start, 0.5, **QUICK) for host in hosts]
    lonely = hosts[0]
    Item.objects.capture_many(owner=owner, raw_texts=[f"Text number {n} says little." for n in range(ITEMS)])
    until(lambda: all(successes_of(host) for host in hosts))
    until(lambda: Item.objects.filter(claimed_by=lonely.name).exists())

    lonely.cut()
    cut_at = time.monotonic()
    until(lambda: not enriching())
    done_after = time.monotonic() - cut_at
    done_by_the_lonely_one = successes_of(lonely)
    for peer in listeners[1:]:
        peer.terminate()
        assert peer.wait(PATIENCE_SECONDS) == 0
    lonely.mend()
    mended_at = time.monotonic()
    reaches(Item.objects.capture(owner=owner, raw_text="Who is back?"), Status.READY_TO_CONFIRM)

    print(f"the others were done after {done_after:.1f} s, the one was back after {time.monotonic() - mended_at:.1f} s")
    assert listeners[0].poll() is None
    assert successes_of(lonely) == done_by_the_lonely_one + 1
    taken_over = EnrichmentAttempt.objects.filter(worker=lonely.name, outcome__in=[Outcome.LOST, Outcome.STALE])
    assert taken_over.exists(), "it was idle when it was cut off"
    in_one = Count("attempts", filter=Q(attempts__outcome=Outcome.SUCCEEDED))
    assert not Item.objects.annotate(successes=in_one).exclude(successes=1).exists()
