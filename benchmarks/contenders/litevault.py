"""LiteVault itself: rows by plain SQL, and the worker of enrich_listener with a provider that does nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import psycopg

from benchmarks.contenders.base import Contender, Started


class Connected:
    def __init__(self, connection: psycopg.Connection, owner: int) -> None:
        self._connection = connection
        self._owner = owner

    def one(self, key: str) -> None:
        self._connection.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, %s)", [self._owner, key])

    def many(self, keys: Sequence[str]) -> None:
        self._connection.execute(
            "INSERT INTO items (owner_id, raw_text) SELECT %s, unnest(%s::text[])", [self._owner, list(keys)]
        )


class LiteVault(Contender):
    name = "LiteVault"
    settings = "the worker of enrich_listener with its attempts recorded, log level WARNING, a provider without work"
    done = "SELECT NOT EXISTS (SELECT FROM items WHERE status = 'ENRICHING')"
    clear = "TRUNCATE items CASCADE"

    def install(self, url: str) -> None:
        """The scratch database has its tables already."""
        with psycopg.connect(url, autocommit=True) as connected:
            connected.execute(
                "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name,"
                " email, date_joined) VALUES ('benchmark', '', false, false, true, '', '', '', now())"
                " ON CONFLICT DO NOTHING"
            )

    @contextmanager
    def capturing(self, url: str) -> Iterator[Connected]:
        with psycopg.connect(url, autocommit=True) as connected:
            (owner,) = connected.execute("SELECT id FROM auth_user WHERE username = 'benchmark'").fetchone() or (0,)
            yield Connected(connected, owner)

    async def work(self, url: str, *, concurrency: int, seconds: float, started: Started) -> None:
        import django  # only the worker's process needs it

        django.setup()
        from django.conf import settings

        from benchmarks.contenders.null_provider import NullProvider  # see above
        from enrichment.management.commands.enrich_listener import run_with_listener  # see above
        from enrichment.prompts import MAX_CHARACTERS_PER_TOKEN  # see above
        from enrichment.worker import EnrichmentWorker  # see above

        provider = NullProvider(started, seconds=seconds)
        worker = EnrichmentWorker(
            provider,
            worker_id=f"benchmark:{id(self)}",
            concurrency=concurrency,
            deadline_seconds=60,
            settings=settings.ENRICH,
            text_length=settings.LLM.max_input_tokens * MAX_CHARACTERS_PER_TOKEN,
        )
        await run_with_listener(worker, provider, name="bench")


class LoggingLiteVault(LiteVault):
    """As it is installed: a line of log for each item."""

    name = "LiteVault, log level INFO"
    settings = "as above, with a line of log for each item"
    environment: ClassVar[dict[str, str]] = {"LITEVAULT_LOG_LEVEL": "INFO", "LITEVAULT_LOG_FORMAT": "json"}
