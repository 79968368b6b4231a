"""The physical limit of a start by this protocol: the trigger, LISTEN and the claim, with nothing around them."""

from contextlib import AbstractContextManager

import psycopg

from benchmarks.contenders.base import Capturer, Contender, Started
from benchmarks.contenders.litevault import LiteVault


class BareClaim(Contender):
    name = "NOTIFY → LISTEN → claim alone"
    settings = "psycopg on both sides, one connection listens and one claims, no result is written"
    done = "SELECT true"
    clear = "TRUNCATE items CASCADE"

    def install(self, url: str) -> None:
        """The scratch database has its tables already."""

    def capturing(self, url: str) -> AbstractContextManager[Capturer]:
        return LiteVault().capturing(url)

    async def work(self, url: str, *, concurrency: int, seconds: float, started: Started) -> None:
        import django  # only the worker's process needs it

        django.setup()
        from items.queue import CHANNEL_ENRICHING  # needs the line above
        from items.sql import QUEUE  # see above

        claim = {
            "after_owner": 0,
            "limit": concurrency,
            "per_owner": 0,
            "lease_seconds": 45,
            "worker": "bare",
            "text_length": 1_000_000,
        }
        async with (
            await psycopg.AsyncConnection.connect(url, autocommit=True) as listening,
            await psycopg.AsyncConnection.connect(url, autocommit=True) as claiming,
        ):
            await listening.execute(f"LISTEN {CHANNEL_ENRICHING}")
            async for _ in listening.notifies():
                for _, _, text, *_ in await (await claiming.execute(QUEUE["claim"], claim)).fetchall():
                    started(text)
