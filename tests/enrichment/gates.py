"""Requests through a gate, in virtual time."""

import asyncio

from enrichment.providers.pacing import Gate


def now() -> float:
    return asyncio.get_running_loop().time()


async def send(gate: Gate, retry_after: float | None = None, *, is_refused: bool = False) -> float:
    """Send a request that is answered at once, and return when it was sent."""
    with gate.passing(passage := await gate.wait()):
        sent_at = now()
        passage.is_refused, passage.is_accepted, passage.retry_after = is_refused, not is_refused, retry_after
    return sent_at


async def refuse(gate: Gate, retry_after: float | None = None) -> float:
    return await send(gate, retry_after, is_refused=True)
