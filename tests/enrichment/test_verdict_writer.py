"""The writer alone, with a scripted database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from psycopg import DataError, InterfaceError, OperationalError

from enrichment import metrics, writer
from enrichment.writer import VerdictWriter
from items import queue
from items.claims import Finished, Verdict
from items.states import Outcome, Status
from postgres.backoff import Backoff
from postgres.session import DatabaseTimeout, Transaction
from tests.enrichment.verdicts import a_verdict
from tests.enrichment.waiting import PATIENCE_SECONDS, until

Answer = Callable[[Sequence[Verdict]], Finished]


def take(verdicts: Sequence[Verdict]) -> Finished:
    return Finished(late=[], locked=[])


def lock_first(verdicts: Sequence[Verdict]) -> Finished:
    return Finished(late=[], locked=list(verdicts[:1]))


def all_late(verdicts: Sequence[Verdict]) -> Finished:
    return Finished(late=list(verdicts), locked=[])


def refuse(verdicts: Sequence[Verdict]) -> Finished:
    raise DataError("private")


def fail_with(error: type[Exception]) -> Answer:
    def fail(verdicts: Sequence[Verdict]) -> Finished:
        raise error

    return fail


be_away = fail_with(OperationalError)


class Database:
    """Returns the scripted result for each batch, and accepts all later ones."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.batches: list[list[Verdict]] = []
        self.written: list[list[Verdict]] = []

    async def finish(self, _transaction: Transaction, verdicts: Sequence[Verdict]) -> Finished:
        self.batches.append(list(verdicts))
        finished = (self.answers.pop(0) if self.answers else take)(verdicts)
        # Let other tasks run, as the real one does.
        others_had_their_turn = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(others_had_their_turn.set_result, None)
        await others_had_their_turn
        return finished

    def record(self, verdicts: Sequence[Verdict]) -> None:
        self.written.append(list(verdicts))


def metric(name: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"litevault_{name}") or 0


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(queue, "finish", database.finish)
    monkeypatch.setattr(writer, "LOCKED_PAUSE_SECONDS", 0.01)
    metrics.verdicts_delayed.set(0)
    return database


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses, without jitter, instead of waiting."""
    made: list[float] = []
    yield_to_others = asyncio.sleep

    async def sleep(seconds: float) -> None:
        made.append(seconds)
        await yield_to_others(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(Backoff, "jittered_seconds", Backoff.seconds)
    return made


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[VerdictWriter]:
    subject = VerdictWriter(on_written=database.record)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(subject.run())
        yield subject
        running.cancel()
    await subject.close()


async def emptied(subject: VerdictWriter) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await subject._emptied.wait()


async def test_callback_follows_the_write(database: Database) -> None:
    first, second = a_verdict(), a_verdict()

    async with writing(database) as subject:
        subject.add(first)
        subject.add(second)
        waiting = subject.unwritten()
        await emptied(subject)
        written = subject.unwritten()

    assert waiting == [first.claim, second.claim]
    assert written == []
    assert database.batches == database.written == [[first, second]]
    assert not subject.is_delayed


async def test_verdicts_that_arrive_during_a_write_form_the_next_batch(database: Database) -> None:
    first, second, third = a_verdict(), a_verdict(), a_verdict()
    unwritten = []
    flushed = []

    async with writing(database) as subject:
        loop = asyncio.get_running_loop()

        def add_others(verdicts: Sequence[Verdict]) -> Finished:
            for verdict in (second, third):
                loop.call_soon_threadsafe(subject.add, verdict)
            loop.call_soon_threadsafe(lambda: unwritten.extend(subject.unwritten()))
            loop.call_soon_threadsafe(lambda: flushed.append(subject._emptied.is_set()))
            return take(verdicts)

        database.answers = [add_others]
        subject.add(first)
        await emptied(subject)

    assert unwritten == [verdict.claim for verdict in (first, second, third)]
    assert flushed == [False]
    assert database.batches == database.written == [[first], [second, third]]


async def test_flush_of_an_idle_writer_returns_at_once(database: Database) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), writing(database) as subject:
        assert subject.is_delayed is False
        await subject.flush(timeout_seconds=60)

    assert database.batches == []


async def test_flush_waits_for_unwritten_verdicts(database: Database) -> None:
    async with writing(database) as subject:
        subject.add(a_verdict())
        await subject.flush(timeout_seconds=60)

    assert len(database.written) == 1


async def test_flush_times_out(database: Database) -> None:
    subject = VerdictWriter(on_written=database.record)
    subject.add(a_verdict())

    async with asyncio.timeout(PATIENCE_SECONDS):
        await subject.flush(timeout_seconds=0.01)

    assert len(subject.unwritten()) == 1
    await subject.close()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, DatabaseTimeout])
async def test_verdicts_wait_while_the_database_is_away(
    database: Database, pauses: list[float], error: type[Exception]
) -> None:
    verdicts = [a_verdict(), a_verdict()]
    database.answers = [fail_with(error)] * 6
    states = []

    async with writing(database) as subject:

        def look(batch: Sequence[Verdict]) -> Finished:
            states.append((subject.is_delayed, metric("verdicts_delayed")))
            return take(batch)

        database.answers.append(look)
        for verdict in verdicts:
            subject.add(verdict)
        await emptied(subject)

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1, 1]
    assert database.batches == [verdicts] * 7
    assert states == [(True, 2)]
    assert (subject.is_delayed, metric("verdicts_delayed")) == (False, 0)
    assert database.written == [verdicts]


async def test_refused_verdict_does_not_delay_others(database: Database) -> None:
    bad, good = a_verdict(title="bad", model="model", prompt_tokens=5), a_verdict()
    database.answers = [refuse, refuse]
    refused_before = metric("verdicts_refused_total")

    async with writing(database) as subject:
        subject.add(bad)
        subject.add(good)
        await emptied(subject)

    together, alone, instead, other = database.batches
    assert (together, alone, other) == ([bad, good], [bad], [good])
    (failure,) = instead
    assert failure.claim is bad.claim
    assert (failure.status, failure.outcome, failure.title) == (Status.FAILED, Outcome.FAILED, None)
    assert (failure.model, failure.prompt_tokens) == ("model", 5)
    assert metric("verdicts_refused_total") - refused_before == 3
    assert database.written == [[bad, good]]


async def test_refused_failure_is_dropped(database: Database) -> None:
    database.answers = [refuse]

    async with writing(database) as subject:
        subject.add(a_verdict(outcome=Outcome.FAILED, status=Status.FAILED))
        await emptied(subject)

    assert len(database.batches) == 1


async def test_refusal_shows_that_the_database_is_back(database: Database, pauses: list[float]) -> None:
    states = []

    async with writing(database) as subject:

        def look(batch: Sequence[Verdict]) -> Finished:
            states.append((subject.is_delayed, metric("verdicts_delayed")))
            return take(batch)

        database.answers = [be_away, refuse, look]
        subject.add(a_verdict())
        await emptied(subject)

    assert states == [(False, 0)]


async def test_locked_verdicts_are_retried_after_a_pause(database: Database) -> None:
    locked, free = a_verdict(), a_verdict()
    database.answers = [lock_first, lock_first]

    async with writing(database) as subject:
        subject.add(locked)
        subject.add(free)
        await until(lambda: database.written)
        waiting = (subject.unwritten(), subject._emptied.is_set())
        await emptied(subject)
        rest = subject.unwritten()

    assert waiting == ([locked.claim], False)
    assert database.batches == [[locked, free], [locked], [locked]]
    assert rest == []


async def test_locked_verdicts_of_several_batches_are_all_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCKED_PAUSE_SECONDS", 60)
    first, second = a_verdict(), a_verdict()
    database.answers = [lock_first, lock_first]

    async with writing(database) as subject:
        subject.add(first)
        await until(lambda: len(database.written) == 1)
        subject.add(second)
        await until(lambda: len(database.written) == 2)
        kept = subject.unwritten()

    assert kept == [first.claim, second.claim]


async def test_batch_is_counted_by_its_outcome(database: Database) -> None:
    database.answers = [all_late]
    before = metric("stale_results_total")

    async with writing(database) as subject:
        subject.add(a_verdict())
        await emptied(subject)

    assert metric("stale_results_total") - before == 1
