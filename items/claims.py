"""What the queue and a worker exchange: the worker gets claims and hands in verdicts."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from items.states import Outcome, SourceType, Status


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claim:
    """One item that a worker has claimed until its lease ends. Two claims of the same item are never equal."""

    item_id: UUID
    owner_id: int
    raw_text: str
    fencing_token: int
    attempt: int
    refunds: int
    worker: str
    claimed_at: datetime
    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of an attempt, and the next status of its item.

    `status` is READY_TO_CONFIRM with a draft, FAILED with an error, or ENRICHING again after `delay_seconds`.
    A refunded attempt does not count against the budget.
    """

    claim: Claim
    outcome: Outcome
    status: Status
    started_at: datetime
    finished_at: datetime
    title: str | None = None
    summary: str | None = None
    tags: tuple[str, ...] = ()
    source_type: SourceType | None = None
    error_code: str | None = None
    error_reason: str | None = None
    enrichment_error: str | None = None
    delay_seconds: float = 0
    is_refunded: bool = False
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: Decimal | None = None
    tags_filled: bool = False

    @property
    def is_released(self) -> bool:
        """Whether the item is handed back unfinished, so that another worker can claim it at once."""
        return self.outcome == Outcome.RELEASED


class Finished(NamedTuple):
    """The verdicts that were not written.

    The `late` ones never will be, because their item has moved on. The `locked` ones must be handed in again, because
    another session has locked their item.
    """

    late: list[Verdict]
    locked: list[Verdict]
