"""Compares the soak's records with the database, once all is quiet."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from enrichment.providers.stub import draft
from items.models import EnrichmentAttempt, Item
from items.states import Action, Outcome, Status
from items.texts import first_line
from tests.soak.record import Answer, Record
from tests.soak.texts import Kind


def wrongs(record: Record, rows: Sequence[Item]) -> Iterator[str]:
    """Return a sentence for each violation."""
    if len(rows) > 1:
        yield f"captured once, and there {len(rows)} times"
    elif rows:
        attempts = list(rows[0].attempts.all())
        yield from wrong_with_item(record, rows[0])
        yield from wrong_with_attempts(record, rows[0], attempts)
    elif record.captured is Answer.DONE:
        yield "captured, and not there"


def wrong_with_item(record: Record, item: Item) -> Iterator[str]:
    possible = record.possible_statuses()
    if item.status not in possible:
        yield f"{item.status}, and should be {' or '.join(sorted(possible))}"
    if item.owner.username != record.owner:
        yield f"belongs to {item.owner.username}, and was captured by {record.owner}"
    if item.claimed_by is not None or item.claimed_at is not None:
        yield f"still claimed by {item.claimed_by}"
    if (item.status == Status.FAILED) != (item.enrichment_error is not None) and item.status != Status.DISCARDED:
        yield f"{item.status} with the error {item.enrichment_error}"
    if item.status == Status.FAILED and not (item.enrichment_error or "").startswith("LLM_API_ERROR:"):
        yield f"failed for a reason that nobody gave: {item.enrichment_error}"
    yield from wrong_with_values(record, item)


def wrong_with_values(record: Record, item: Item) -> Iterator[str]:
    """The owner's values are kept. Otherwise the draft's are there, or those of a manual capture."""
    is_drafted = item.title is not None and record.kind is not Kind.MANUAL
    drafted = draft(record.text)
    for name, value, first in (("title", item.title, drafted.title), ("tags", item.tags, None)):
        possible = list(record.possible_values(name))
        if not record.is_certainly_changed(name):
            if first is None or not is_drafted:
                continue
            possible.append(first)
        if value not in possible:
            yield f"{name} is {value!r}, and should be one of {possible!r}"
    if record.kind is Kind.MANUAL and item.title != first_line(record.text):
        yield f"captured by hand, and the title is {item.title!r}"
    if is_drafted and item.summary != drafted.summary:
        yield f"the summary is {item.summary!r}, and was {drafted.summary!r}"


def wrong_with_attempts(record: Record, item: Item, attempts: Sequence[EnrichmentAttempt]) -> Iterator[str]:
    outcomes = Counter(attempt.outcome for attempt in attempts)
    if [attempt.number for attempt in attempts] != list(range(1, len(attempts) + 1)):
        yield f"attempts are numbered {[attempt.number for attempt in attempts]}"
    if record.kind is Kind.MANUAL:
        if attempts:
            yield "never to be enriched, and there are attempts"
        return
    should_succeed = int(item.title is not None)
    if outcomes[Outcome.SUCCEEDED] != should_succeed:
        yield f"{outcomes[Outcome.SUCCEEDED]} attempts succeeded, and should {should_succeed}"
    if item.status in {Status.READY_TO_CONFIRM, Status.ARCHIVED} and not should_succeed:
        yield f"{item.status} without a draft"
    least, most = possible_failures(record, item)
    if not least <= outcomes[Outcome.FAILED] <= most:
        yield f"{outcomes[Outcome.FAILED]} attempts failed, and should {least} to {most}"
    for discard in record.done(Action.DISCARD):
        late = [attempt for attempt in attempts if attempt.finished_at.timestamp() > discard.answered_at]
        if any(attempt.outcome in {Outcome.SUCCEEDED, Outcome.FAILED} for attempt in late):
            yield "an attempt counted after the discard"
    if outcomes[Outcome.CANCELLED] and item.status != Status.DISCARDED:
        yield "an attempt was cancelled without a discard"


def possible_failures(record: Record, item: Item) -> tuple[int, float]:
    """Return how many attempts may have failed for good: one for each round. Each retry begins a round."""
    if record.kind is Kind.PLAIN:
        return 0, 0
    if record.kind is Kind.OUTAGE:
        return 0, float("inf")
    least = len(record.done(Action.RETRY)) + (item.status == Status.FAILED)
    may_have_failed_last = item.status == Status.FAILED or (item.status == Status.DISCARDED and item.title is None)
    most = len(record.done(Action.RETRY)) + len(record.unknown(Action.RETRY)) + may_have_failed_last
    return least, most


def wrong_with_bulks(records: Iterable[Record], rows: dict[str, list[Item]]) -> Iterator[str]:
    """Check that texts captured in one transaction are all there, or none is."""
    there: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for record in records:
        if record.bulk:
            there[record.bulk][record.text in rows] += 1
    for name, counts in there.items():
        if len(counts) > 1:
            yield f"of bulk {name}, {counts[True]} items are there and {counts[False]} are not"
