"""Is there somebody who tells clients what changes, and does the proxy lead there?"""

import http.client
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from litevault.events.application import CONNECTION_NAME
from litevault.events.responses import STATE_HEADER
from litevault.operations.doctor.finding import Finding

DEADLINE_SECONDS = 5.0
NOBODY = (
    "Run: granian --interface asgi litevault.asgi:application, or say --no-events. "
    "One that runs and says listener.degraded cannot LISTEN: see LISTEN above."
)


def events(*, is_wanted: bool) -> Finding:
    """By their LISTEN connections: one that runs without is not seen from the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [CONNECTION_NAME],
        )
        (count,) = cursor.fetchone()
    if count:
        return Finding("events", True, f"{count} listening")
    if not is_wanted:
        return Finding("events", True, "none listens, and none is wanted")
    return Finding("events", False, "none listens, so pages and clients see no change live", NOBODY)


def proxy(*, url: str) -> Finding:
    """Asked without a login: whoever refuses us says who it is."""
    if settings.DEBUG:
        return Finding("proxy", True, "there is none in development")
    if not url:
        return Finding("proxy", True, "not asked: --url says where to ask")
    try:
        status, _ = _answer(f"{url}/healthz")
        refused_with, state = _answer(f"{url}/api/v1/events")
    except (OSError, ValueError, http.client.HTTPException):
        return Finding("proxy", False, f"{url} cannot be reached", "Check the name, the certificate and the proxy.")
    if status != HTTPStatus.OK:
        return Finding(
            "proxy",
            False,
            f"{url}/healthz answers {status:d}",
            "502 to 504: the proxy does not reach the web server. 400: the name is not in LITEVAULT_ALLOWED_HOSTS.",
        )
    return _route_of_events(refused_with, state)


def _route_of_events(status: int, state: str | None) -> Finding:
    if state is not None and status != HTTPStatus.UNAUTHORIZED:
        return Finding(
            "proxy",
            False,
            f"the events process answers {status:d}",
            "400: the proxy does not pass the Host on. 503: too many streams are open there, or its database is slow.",
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Finding(
            "proxy",
            False,
            f"/api/v1/events answers {status:d}",
            "502 to 504: the proxy does not reach the events process. Is it started, and at that address?",
        )
    if state is None:
        return Finding(
            "proxy",
            False,
            "/api/v1/events does not lead to the events process",
            "Have the proxy pass it there, unbuffered: README.md has the rule for nginx.",
        )
    if state != "listening":
        return Finding(
            "proxy",
            False,
            "/api/v1/events leads to a process that hears no notifications",
            "Live changes come up to five seconds late. Look at its log, and at LISTEN above.",
        )
    return Finding("proxy", True, "leads to the web server, and to an events process that listens")


def _answer(address: str) -> tuple[int, str | None]:
    """The status, and what an events process says of itself. A redirect of the web server is followed."""
    try:
        with urlopen(address, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310  # the command lets only HTTP in
            return int(answer.status), answer.headers[STATE_HEADER]
    except HTTPError as refused:
        with refused:
            return refused.code, refused.headers[STATE_HEADER]
