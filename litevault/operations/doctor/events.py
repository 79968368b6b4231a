"""Checks of live events: an events process is listening, and the proxy passes requests on to it."""

import http.client
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from litevault.events.application import CONNECTION_NAME
from litevault.events.responses import STATE_HEADER
from litevault.operations.doctor.result import CheckResult
from postgres.listener import IS_NAMED

DEADLINE_SECONDS = 5.0
LISTENING = f"SELECT count(*) FROM pg_stat_activity WHERE {IS_NAMED}"  # noqa: S608  # a constant
START_EVENTS = (
    "Run: granian --interface asgi litevault.asgi:application, or pass --no-events. "
    "If one is running and logs listener.degraded, it cannot LISTEN: see LISTEN above."
)


def events(*, is_expected: bool) -> CheckResult:
    """Count the LISTEN connections of events processes. One that cannot LISTEN is not counted."""
    with connection.cursor() as cursor:
        cursor.execute(LISTENING, [CONNECTION_NAME])
        (count,) = cursor.fetchone()
    if count:
        return CheckResult("events", f"{count} listening")
    if not is_expected:
        return CheckResult("events", "none is listening, and none is expected")
    return CheckResult("events", "none is listening, so pages and clients see no live changes", START_EVENTS)


def proxy(*, url: str) -> CheckResult:
    """Send requests without a login: the process that refuses them is known by its headers."""
    if settings.DEBUG:
        return CheckResult("proxy", "none in development")
    if not url:
        return CheckResult("proxy", "not checked without --url")
    try:
        status, _ = _answer(f"{url}/healthz")
        refused_with, state = _answer(f"{url}/api/v1/events")
    except (OSError, ValueError, http.client.HTTPException):
        return CheckResult("proxy", f"{url} cannot be reached", "Check the name, the certificate and the proxy.")
    if status != HTTPStatus.OK:
        return CheckResult(
            "proxy",
            f"{url}/healthz answers {status:d}",
            "502 to 504: the proxy does not reach the web server. 400: the name is not in LITEVAULT_ALLOWED_HOSTS.",
        )
    return _route_of_events(refused_with, state)


def _route_of_events(status: int, state: str | None) -> CheckResult:
    if state is not None and status != HTTPStatus.UNAUTHORIZED:
        return CheckResult(
            "proxy",
            f"the events process answers {status:d}",
            "400: the proxy does not pass the Host on. 503: too many streams are open, or the database is slow.",
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return CheckResult(
            "proxy",
            f"/api/v1/events answers {status:d}",
            "502 to 504: the proxy does not reach the events process. Check that it is running, and its address.",
        )
    if state is None:
        return CheckResult(
            "proxy",
            "/api/v1/events does not lead to the events process",
            "Configure the proxy to pass it on, unbuffered: docs/operations.md has the rule for nginx.",
        )
    if state != "listening":
        return CheckResult(
            "proxy",
            "/api/v1/events leads to a process that receives no notifications",
            "Live changes arrive up to five seconds late. Check its log, and LISTEN above.",
        )
    return CheckResult("proxy", "leads to the web server and to an events process that is listening")


def _answer(address: str) -> tuple[int, str | None]:
    """Return the status and an events process's own header. Redirects are followed."""
    try:
        with urlopen(address, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310  # the command accepts only HTTP
            return int(answer.status), answer.headers[STATE_HEADER]
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers[STATE_HEADER]
