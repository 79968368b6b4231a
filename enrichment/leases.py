"""Renews the leases of a worker's claims, and reports those that are lost."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
import structlog

from items import queue
from items.claims import Claim
from postgres.session import Fetch

logger = structlog.get_logger(__name__)


class LeaseKeeper:
    """Renews each lease every third of its time.

    `claims` returns the claims to renew. `on_lost` is called for each claim whose lease is lost, or will soon end
    because the database has been away for two thirds of a lease.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        lease_seconds: float,
        claims: Callable[[], Sequence[Claim]],
        on_lost: Callable[[Claim], None],
    ) -> None:
        self._fetch = fetch
        self._lease_seconds = lease_seconds
        self._claims = claims
        self._on_lost = on_lost
        self._requested = asyncio.Event()

    def renew_now(self) -> None:
        self._requested.set()

    async def run(self) -> None:
        """Renew until cancelled."""
        renewed_at = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._lease_seconds / 3):
                    await self._requested.wait()
            self._requested.clear()
            requested_at = time.monotonic()
            claims = self._claims()
            if not claims:
                renewed_at = requested_at
                continue
            try:
                still_ours = await queue.renew(self._fetch, claims, lease_seconds=self._lease_seconds)
            except psycopg.Error as error:
                logger.warning("lease.not_renewed", cause=type(error).__name__, count=len(claims))
                if time.monotonic() - renewed_at < self._lease_seconds * 2 / 3:
                    continue
                still_ours = set()
            else:
                renewed_at = requested_at
            for claim in claims:
                if claim.item_id not in still_ours:
                    self._on_lost(claim)
