"""What passes between the queue and a worker: a claim goes out, a verdict comes back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from items.states import Outcome, SourceType, Status


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claim:
    """One item in a worker's hands, until its lease ends. Two claims of the same item are never equal."""

    item_id: UUID
    owner_id: int
    raw_text: str
    fencing_token: int
    attempt: int
    worker: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an attempt ended, and what becomes of its item.

    `status` is where the item goes: READY_TO_CONFIRM with a draft, FAILED with an error,
    or ENRICHING again after `delay_seconds`. A refunded attempt does not count against the budget.
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
    enrichment_error: str | None = None
    delay_seconds: float = 0
    is_refunded: bool = False
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: Decimal | None = None

    @property
    def is_released(self) -> bool:
        """Given back unfinished: nobody tells the owner, and any worker may go on at once."""
        return self.outcome == Outcome.RELEASED


class Finished(NamedTuple):
    """What came of verdicts that were handed in, other than that they count.

    The `late` ones never will: their item has moved on. The `locked` ones are to be handed in again, because
    somebody else has their item locked.
    """

    late: list[Verdict]
    locked: list[Verdict]
