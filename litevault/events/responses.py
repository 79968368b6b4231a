"""Responses of the events process, and how Django's responses are sent over ASGI."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, JsonResponse

from litevault import __version__
from litevault.events import metrics
from litevault.web.errors import RETRY_AFTER_SECONDS, Problem, request_id
from litevault.web.request_id import HEADER
from litevault.web.version import HEADER as VERSION_HEADER

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

CROWDED_RETRY_SECONDS = 30

STATE_HEADER = "X-LiteVault-Events"
"""On every response, so that the doctor sees that the proxy leads here, and whether notifications come in."""


def healthz() -> HttpResponse:
    """Respond without Django's threads and without the database."""
    return _with_headers(JsonResponse({"status": "ok"}))


def error_response(problem: Problem) -> HttpResponse:
    return _with_headers(JsonResponse(problem.envelope, status=problem.status, headers=dict(problem.headers)))


def full() -> HttpResponse:
    metrics.refused.labels("full").inc()
    sentence = "All streams of this process are in use. Try again in a moment."
    return _error_with_retry(HTTPStatus.SERVICE_UNAVAILABLE, RETRY_AFTER_SECONDS, message=sentence)


def crowded() -> HttpResponse:
    metrics.refused.labels("crowded").inc()
    sentence = f"At most {settings.EVENTS_STREAMS_PER_USER} streams per user may be open. Close one first."
    return _error_with_retry(HTTPStatus.TOO_MANY_REQUESTS, CROWDED_RETRY_SECONDS, message=sentence)


def late() -> HttpResponse:
    return _error_with_retry(HTTPStatus.SERVICE_UNAVAILABLE, RETRY_AFTER_SECONDS)


def _error_with_retry(status: HTTPStatus, seconds: int, **fields: str) -> HttpResponse:
    return error_response(Problem.known(status, headers={"Retry-After": str(seconds)}, **fields))


def _with_headers(response: HttpResponse) -> HttpResponse:
    response.headers[HEADER] = request_id() or ""
    response.headers[VERSION_HEADER] = __version__
    response.headers["Cache-Control"] = "no-store"
    return response


async def send_head(response: HttpResponseBase, send: Send) -> None:
    headers = [(name.lower(), value) for name, value in response.items()]
    headers += [("set-cookie", cookie.OutputString()) for cookie in response.cookies.values()]
    headers += [(STATE_HEADER.lower(), "listening" if metrics.listener.is_healthy else "sweeping")]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
    )


async def send_body(body: bytes, send: Send, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not is_last})


async def send_whole(response: HttpResponse, send: Send, *, has_body: bool) -> None:
    await send_head(response, send)
    await send_body(response.content if has_body else b"", send, is_last=True)
