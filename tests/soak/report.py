"""The report: a table of events, and the history of each item with a violation."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from statistics import median

from items.models import Item
from tests.soak.disturbances import Disturbances
from tests.soak.record import Answer, Record
from tests.soak.workers import Workers


@dataclass(frozen=True)
class Findings:
    records: Sequence[Record]
    items: Sequence[Item]
    workers: Workers
    disturbances: Disturbances
    most_connections: int
    drained_after: float


def print_table(findings: Findings) -> None:
    print()
    for name, value in lines(findings):
        print(f"{name:<44} {value}")
    print()


def lines(findings: Findings) -> Iterator[tuple[str, str]]:
    attempts = [attempt for item in findings.items for attempt in item.attempts.all()]
    deeds = Counter(f"{deed.action} {deed.answer.value}" for record in findings.records for deed in record.deeds)
    unsure = sum(record.captured is Answer.UNKNOWN for record in findings.records)
    yield "items", f"{len(findings.items)}, and {unsure} captures whose answer was lost"
    yield "by status", counted(Counter(item.status for item in findings.items))
    yield "actions", counted(deeds)
    yield "attempts", counted(Counter(attempt.outcome for attempt in attempts))
    yield "most attempts of one item", str(max((item.attempts.count() for item in findings.items), default=0))
    yield "disturbances", counted(findings.disturbances.counts)
    yield "workers", counted(Counter(worker.ending for worker in findings.workers.all))
    yield "most connections at a time", str(findings.most_connections)
    waits = list(calm_waits(findings))
    yield "waits for an attempt, undisturbed", described(waits) if waits else "none was"
    yield "quiet after the last disturbance", f"{findings.drained_after:.1f} s"


def counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def described(waits: Sequence[tuple[float, Item]]) -> str:
    longest, item = max(waits, key=itemgetter(0))
    middle = median(seconds for seconds, _ in waits)
    whose = f"item {item.pk}, captured {clock(item.created_at.timestamp())}"
    return f"{middle:.3f} s in the middle, {longest:.2f} s the longest ({whose}), of {len(waits)} items"


def calm_waits(findings: Findings) -> Iterator[tuple[float, Item]]:
    """Return the seconds from capture to first attempt, without those that a disturbance explains."""
    for item in findings.items:
        first = next(iter(item.attempts.all()), None)
        if first is None:
            continue
        captured_at, begun_at = item.created_at.timestamp(), first.started_at.timestamp()
        spans = findings.disturbances.spans
        if not any(span.begins <= begun_at and span.ends >= captured_at for span in spans):
            yield begun_at - captured_at, item


def print_failure(seed: int, record: Record, items: Sequence[Item], sentences: Sequence[str]) -> None:
    print(f"seed {seed}: {record.text!r} of {record.owner}")
    for sentence in sentences:
        print(f"    WRONG: {sentence}")
    for line in (*story_of(record), *(line for item in items for line in history_of(item))):
        print(f"    {line}")


def story_of(record: Record) -> Iterator[str]:
    """Return the owner's actions."""
    yield f"{clock(record.captured_at)} captured: {record.captured.value}"
    for deed in record.deeds:
        yield f"{clock(deed.asked_at)} to {clock(deed.answered_at)} {deed.action} {deed.changes}: {deed.answer.value}"


def history_of(item: Item) -> Iterator[str]:
    """Return the workers' attempts."""
    yield f"item {item.pk} {item.status}, token {item.fencing_token}, claimed by {item.claimed_by}"
    for attempt in item.attempts.all():
        span = f"{clock(attempt.started_at.timestamp())} to {clock(attempt.finished_at.timestamp())}"
        outcome = f"{attempt.outcome} {attempt.error_code or ''}"
        yield f"attempt {attempt.number}, token {attempt.fencing_token}, {attempt.worker}, {span}: {outcome}"


def clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S.%f")[:-3]
