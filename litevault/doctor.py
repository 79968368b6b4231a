"""What `manage.py doctor` looks at: each finding says what is, and what to do when it should be otherwise."""

import asyncio
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import EnrichmentError
from enrichment.listener import listen_conninfo
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.factory import build_provider
from items.queue import LISTENER_NAME
from items.states import Outcome, Status
from litevault.health import readiness

SAMPLE_TEXT = "LiteVault asks whether the model can be reached. It should answer with a title and a few tags."
LISTEN_DEADLINE_SECONDS = 5.0
LONGEST_USUAL_WAIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    is_ok: bool
    says: str
    advice: str = ""


def examine(*, asks_model: bool) -> Iterator[Finding]:
    """Look at one thing after the other. Without a database most of the rest cannot be looked at."""
    yield web_server()
    yield database()
    checks = readiness()
    if checks["database"]:
        yield migrations(is_ok=checks["migrations"])
        yield triggers(is_ok=checks["triggers"])
        yield listen_round_trip()
        yield listeners()
        if checks["migrations"]:
            yield waiting()
            yield failures()
    yield model(asks_model=asks_model)


def web_server() -> Finding:
    if settings.SECRET_KEY_IS_TEMPORARY:
        return Finding(
            "web server",
            False,
            "does not start without a secret key",
            "Set LITEVAULT_SECRET_KEY to a long random text, or, on your own machine, LITEVAULT_DEBUG=true.",
        )
    if not settings.DEBUG and not settings.ALLOWED_HOSTS:
        return Finding("web server", False, "answers to no name", "Set LITEVAULT_ALLOWED_HOSTS.")
    return Finding("web server", True, "has what it needs to start")


def database() -> Finding:
    started = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_database()")
            version, name = cursor.fetchone()
    except DatabaseError:
        return Finding("database", False, "does not answer", "Check DATABASE_URL, and that PostgreSQL runs.")
    milliseconds = (time.perf_counter() - started) * 1000
    return Finding("database", True, f"{name} on PostgreSQL {version}, answers in {milliseconds:.1f} ms")


def migrations(*, is_ok: bool) -> Finding:
    if is_ok:
        return Finding("migrations", True, "all applied")
    return Finding("migrations", False, "some are not applied", "Run: manage.py migrate")


def triggers(*, is_ok: bool) -> Finding:
    if is_ok:
        return Finding("triggers", True, "all there and enabled")
    return Finding(
        "triggers",
        False,
        "missing or disabled, so captures wait for the sweep and retries do not start afresh",
        "Run: manage.py migrate items 0001 && manage.py migrate",
    )


def listen_round_trip() -> Finding:
    """Does a notification from the database arrive on the connection that the listener would use?"""
    try:
        milliseconds = _listen_round_trip_ms()
    except (psycopg.Error, TimeoutError):
        return Finding(
            "LISTEN",
            False,
            "no notification arrives, so items wait for the sweep",
            "A pooler in transaction mode swallows LISTEN. "
            "Set LITEVAULT_LISTEN_DATABASE_URL to PostgreSQL's own address, with the name of the same database.",
        )
    return Finding("LISTEN", True, f"a notification arrives in {milliseconds:.1f} ms")


def _listen_round_trip_ms() -> float:
    with psycopg.connect(listen_conninfo(), autocommit=True, connect_timeout=5) as connected:
        connected.execute("LISTEN litevault_doctor")
        started = time.perf_counter()
        # Sent by another session: a pooler passes on what the connection sends to itself.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('litevault_doctor', '')")
        for _ in connected.notifies(timeout=LISTEN_DEADLINE_SECONDS, stop_after=1):
            return (time.perf_counter() - started) * 1000
    raise TimeoutError


def listeners() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(host(client_addr), 'local'), extract(epoch FROM now() - backend_start)"
            " FROM pg_stat_activity WHERE application_name = %s AND datname = current_database() ORDER BY 2 DESC",
            [LISTENER_NAME],
        )
        rows = cursor.fetchall()
    if not rows:
        return Finding("listeners", False, "none is alive, so nothing is enriched", "Run: manage.py enrich_listener")
    described = ", ".join(f"{host} for {seconds:.0f} s" for host, seconds in rows)
    return Finding("listeners", True, f"{len(rows)} alive: {described}")


def waiting() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(claimed_by), coalesce(extract(epoch FROM max(now() - available_at)), 0)"
            " FROM items WHERE status = %s",
            [Status.ENRICHING],
        )
        count, in_flight, seconds = cursor.fetchone()
    says = f"{count} enriching, {in_flight} of them in flight, {max(0, seconds):.0f} s the longest overdue"
    if seconds <= LONGEST_USUAL_WAIT_SECONDS:
        return Finding("queue", True, says)
    return Finding("queue", False, says, "Look at the listener's log, or start more listeners.")


def failures() -> Finding:
    """The listener may have other settings than this process: what it met with stands in the history."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT error_code, count(*) FROM enrichment_attempts"
            " WHERE outcome = %s AND finished_at > now() - interval '1 hour' GROUP BY 1 ORDER BY 2 DESC",
            [Outcome.FAILED],
        )
        rows = cursor.fetchall()
    if not rows:
        return Finding("failures", True, "none in the last hour")
    described = ", ".join(f"{count} {code}" for code, count in rows)
    return Finding("failures", False, f"in the last hour: {described}", "See docs/errors.md for these codes.")


def model(*, asks_model: bool) -> Finding:
    llm: LLMSettings = settings.LLM
    if llm.provider == "stub":
        return Finding("model", True, "the stub: no model is asked")
    try:
        provider = build_provider(one_short_try(llm))
    except InvalidSettings as error:
        return Finding("model", False, str(error), "Set the variable, or LITEVAULT_LLM_PROVIDER=stub.")
    if not asks_model:
        return Finding("model", True, f"{llm.model}, not asked")
    started = time.perf_counter()
    try:
        asyncio.run(_ask(provider))
    except EnrichmentError as error:
        seen = ", ".join(f"{part}" for part in (error.cause, error.http_status) if part)
        return Finding("model", False, f"{llm.model}: {error.message} ({seen})", "See docs/errors.md for this code.")
    return Finding("model", True, f"{llm.model} answers in {time.perf_counter() - started:.1f} s")


def one_short_try(llm: LLMSettings) -> LLMSettings:
    """A person waits for the answer."""
    return llm.model_copy(update={"max_retries": 0, "timeout_seconds": min(llm.timeout_seconds, 15)})


async def _ask(provider: EnrichmentProvider) -> None:
    try:
        await provider.enrich_item(SAMPLE_TEXT)
    finally:
        await provider.close()


def settings_in_force() -> Iterator[tuple[str, str]]:
    """Every setting with its value, where a secret shows only that it is set."""
    yield "DATABASE_URL", without_password(os.environ.get("DATABASE_URL", "")) or "(embedded)"
    yield "LITEVAULT_LISTEN_DATABASE_URL", without_password(settings.LISTEN_DATABASE_URL) or "(DATABASE_URL)"
    yield "LITEVAULT_DEBUG", str(settings.DEBUG).lower()
    yield "LITEVAULT_SECRET_KEY", "(set)" if os.environ.get("LITEVAULT_SECRET_KEY") else "(not set)"
    yield "LITEVAULT_ALLOWED_HOSTS", ",".join(settings.ALLOWED_HOSTS) or "(none)"
    for group in (settings.LLM, settings.ENRICH):
        for field, variable in group.variables():
            yield variable, without_password(_plain(getattr(group, field))) or "(none)"
    for name in sorted(name for name in os.environ if name.endswith("_API_KEY") and os.environ[name]):
        yield name, "(set)"


def without_password(address: str) -> str:
    """Blank what stands between the user's name and the host, and every parameter that names a password."""
    address = re.sub(r"(//[^/@:]*:).*@", r"\1***@", address)
    return re.sub(r"(?i)(password=)[^&\s]*", r"\1***", address)


def _plain(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
