"""A verdict as a worker makes it."""

from uuid import uuid4

from django.utils import timezone

from items.claims import Claim, Verdict
from items.states import Outcome, Status


def a_verdict(*, outcome: Outcome = Outcome.SUCCEEDED, **fields: object) -> Verdict:
    now = timezone.now()
    claim = Claim(
        item_id=uuid4(),
        owner_id=1,
        raw_text="text",
        fencing_token=1,
        attempt=1,
        refunds=0,
        worker="test",
        claimed_at=now,
        request_id=None,
        traceparent=None,
    )
    columns = {"status": Status.READY_TO_CONFIRM, "started_at": now, "finished_at": now, **fields}
    return Verdict(claim=claim, outcome=outcome, **columns)  # type: ignore[arg-type]  # types are up to the caller
