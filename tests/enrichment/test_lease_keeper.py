"""When leases are renewed or lost, with a fake clock."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import UUID

import pytest
from psycopg import OperationalError

from enrichment import leases
from enrichment.leases import LeaseKeeper
from items import queue
from items.claims import Claim
from postgres.session import Fetch, Parameters, Row
from tests.enrichment.verdicts import a_verdict
from tests.enrichment.virtual_time import START, run
from tests.enrichment.waiting import until

LEASE_SECONDS = 90.0
AWAY_SECONDS = LEASE_SECONDS * 2 / 3


class Leases:
    """The claims, the renewals and the lost claims, with a database that can be absent."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.claims: list[Claim] = [a_verdict().claim, a_verdict().claim]
        self.taken: list[Claim] = []
        self.is_away = False
        self.renewal_takes_seconds = 0.0
        self.renewals: list[tuple[Sequence[Claim], float]] = []
        self.renewal_times: list[float] = []
        self.rounds = 0
        self.lost: list[Claim] = []

    def monotonic(self) -> float:
        return self.now

    async def renew(self, fetch: Fetch, claims: Collection[Claim], *, lease_seconds: float) -> set[UUID]:
        assert fetch is no_database
        self.renewals.append((list(claims), lease_seconds))
        self.renewal_times.append(asyncio.get_running_loop().time())
        self.now += self.renewal_takes_seconds
        if self.is_away:
            raise OperationalError
        return {claim.item_id for claim in claims if claim not in self.taken}

    def holding(self) -> Sequence[Claim]:
        self.rounds += 1
        return self.claims


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Leases:
    kept = Leases()
    monkeypatch.setattr(queue, "renew", kept.renew)
    monkeypatch.setattr(leases, "time", SimpleNamespace(monotonic=kept.monotonic))
    return kept


async def no_database(_statement: str, _parameters: Parameters) -> list[Row]:
    raise NotImplementedError


@asynccontextmanager
async def keeping(kept: Leases) -> AsyncIterator[LeaseKeeper]:
    keeper = LeaseKeeper(no_database, lease_seconds=LEASE_SECONDS, claims=kept.holding, on_lost=kept.lost.append)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keeper.run())
        yield keeper
        running.cancel()


async def renew(kept: Leases, keeper: LeaseKeeper) -> None:
    """Run one round of renewals."""
    rounds = kept.rounds
    keeper.renew_now()
    await until(lambda: kept.rounds == rounds + 1)
    # The renewal returns at once, so that the round is over when the keeper waits again.
    await asyncio.sleep(0)


def test_leases_are_renewed_every_third_of_their_time(kept: Leases) -> None:
    async def scenario() -> None:
        async with keeping(kept):
            await asyncio.sleep(LEASE_SECONDS - 1)

    run(scenario())

    assert kept.renewals == [(kept.claims, LEASE_SECONDS)] * 2
    assert kept.renewal_times == pytest.approx([START + LEASE_SECONDS / 3, START + LEASE_SECONDS * 2 / 3])
    assert kept.lost == []


async def test_leases_are_renewed_early_only_on_request(kept: Leases) -> None:
    async with keeping(kept) as keeper:
        before = list(kept.renewals)
        await renew(kept, keeper)
        await renew(kept, keeper)

    assert before == []
    assert kept.renewals == [(kept.claims, LEASE_SECONDS)] * 2


async def test_lost_lease_is_reported_once_each_round(kept: Leases) -> None:
    kept.taken = kept.claims[:1]

    async with keeping(kept) as keeper:
        await renew(kept, keeper)

    assert kept.lost == kept.taken


@pytest.mark.parametrize(("away_seconds", "is_lost"), [(AWAY_SECONDS - 0.1, False), (AWAY_SECONDS, True)])
async def test_leases_are_lost_when_the_database_stays_away(
    kept: Leases, away_seconds: float, *, is_lost: bool
) -> None:
    kept.is_away = True

    async with keeping(kept) as keeper:
        await asyncio.sleep(0)
        kept.now += away_seconds
        await renew(kept, keeper)

    assert kept.lost == (kept.claims if is_lost else [])


@pytest.mark.parametrize(("away_seconds", "is_lost"), [(AWAY_SECONDS - 0.1, False), (AWAY_SECONDS, True)])
async def test_absence_counts_from_the_start_of_the_last_renewal(
    kept: Leases, away_seconds: float, *, is_lost: bool
) -> None:
    async with keeping(kept) as keeper:
        await asyncio.sleep(0)
        kept.now += 500
        began_at = kept.now
        kept.renewal_takes_seconds = 7
        await renew(kept, keeper)
        kept.is_away = True
        kept.renewal_takes_seconds = 0
        kept.now = began_at + away_seconds
        await renew(kept, keeper)

    assert kept.lost == (kept.claims if is_lost else [])


async def test_renewals_go_on_when_the_database_is_back(kept: Leases) -> None:
    kept.is_away = True

    async with keeping(kept) as keeper:
        await renew(kept, keeper)
        kept.is_away = False
        kept.taken = kept.claims[1:]
        await renew(kept, keeper)

    assert len(kept.renewals) == 2
    assert kept.lost == kept.taken


async def test_without_claims_nothing_is_sent(kept: Leases) -> None:
    claims, kept.claims = kept.claims, []

    async with keeping(kept) as keeper:
        kept.now += AWAY_SECONDS
        await renew(kept, keeper)
        idle_renewals = list(kept.renewals)
        kept.claims, kept.is_away = claims, True
        kept.now += AWAY_SECONDS - 0.1
        await renew(kept, keeper)

    assert idle_renewals == []
    assert kept.lost == []
