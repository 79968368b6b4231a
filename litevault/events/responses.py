"""Django's answers, sent as ASGI wants them."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from litevault.events import metrics
from litevault.web.errors import RETRY_AFTER_SECONDS, Problem, request_id
from litevault.web.request_id import HEADER

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

CROWDED_SECONDS = 30

STATE_HEADER = "X-LiteVault-Events"
"""On every answer, so that who asks from outside sees that the proxy leads here, and whether notifications come in."""


def alive() -> HttpResponse:
    """Asks nobody: neither Django's threads nor the database."""
    return _ours(JsonResponse({"status": "ok"}))


def told() -> HttpResponse:
    """Asks nobody, either."""
    return _ours(HttpResponse(generate_latest(metrics.REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4))


def refusal(problem: Problem) -> HttpResponse:
    return _ours(JsonResponse(problem.envelope, status=problem.status, headers=dict(problem.headers)))


def full() -> HttpResponse:
    metrics.refused.labels("full").inc()
    sentence = "As many streams are open here as this process serves. Try again in a moment."
    return _refused(HTTPStatus.SERVICE_UNAVAILABLE, RETRY_AFTER_SECONDS, message=sentence)


def crowded() -> HttpResponse:
    metrics.refused.labels("crowded").inc()
    sentence = f"One user may have {settings.EVENTS_STREAMS_PER_USER} streams open here. Close one first."
    return _refused(HTTPStatus.TOO_MANY_REQUESTS, CROWDED_SECONDS, message=sentence)


def late() -> HttpResponse:
    return _refused(HTTPStatus.SERVICE_UNAVAILABLE, RETRY_AFTER_SECONDS)


def _refused(status: HTTPStatus, seconds: int, **fields: str) -> HttpResponse:
    return refusal(Problem.known(status, headers={"Retry-After": str(seconds)}, **fields))


def _ours(response: HttpResponse) -> HttpResponse:
    response.headers[HEADER] = request_id() or ""
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
