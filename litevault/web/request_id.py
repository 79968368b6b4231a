"""An id for every request, in its response and in its log lines."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject
from structlog.contextvars import bound_contextvars

from items.audit import REQUEST_ID_FORM

logger = structlog.get_logger(__name__)

HEADER = "X-Request-Id"
WELL_FORMED = re.compile(REQUEST_ID_FORM)
PATH_LOGGED = 200
QUIET_PATHS = ("/healthz", "/readyz")


class RequestIdMiddleware:
    """Comes before everything that responds or logs, so that every response has an id and a line in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = well_formed_or_new(request.headers.get(HEADER, ""))
        with bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            log = logger.debug if request.path in QUIET_PATHS else logger.info
            log(
                "request.finished",
                method=request.method,
                path=request.path[:PATH_LOGGED],
                status=response.status_code,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
                user_id=_user_id(request),
            )
        return response


def well_formed_or_new(given: str) -> str:
    return given if WELL_FORMED.fullmatch(given) else f"req-{secrets.token_hex(8)}"


def _user_id(request: HttpRequest) -> int | None:
    """Return the user's id if a view has loaded the user: the log is not worth a query."""
    user = getattr(request, "user", None)
    if type(user) is SimpleLazyObject:
        user = getattr(request, "_cached_user", None)
    return getattr(user, "pk", None)
