"""Changes are refused while the server is still busy with earlier ones that were given up."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase

from litevault.web.error_middleware import error_response
from litevault.web.errors import RETRY_AFTER_SECONDS, Problem
from postgres.django.waits import WAITS

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class StuckCommitsMiddleware:
    """Refuses changes while many commits wait for a standby, so that they neither pile up nor stop the reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in SAFE and not WAITS.may_change():
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            return error_response(request, Problem.known(HTTPStatus.SERVICE_UNAVAILABLE, headers=headers))
        return self.get_response(request)
