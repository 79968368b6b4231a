"""Keeps the requests of one user from holding up those of others."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from litevault.accounts.at_once import ADMITTED, AT_ONCE, AT_ONCE_SECONDS, HEAVY, Admitted, credentials_of
from litevault.accounts.throttling import charge
from litevault.web.error_middleware import error_response
from litevault.web.errors import Problem


class FairnessMiddleware:
    """Ends what UserThrottle began, once the response is rendered, and charges for the time that it took.

    Refuse a flood of requests here, before authentication, so that it does not delay other users.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and AT_ONCE.is_exhausted(credentials_of(request)):
            return error_response(request, Problem.known(429, headers={"Retry-After": f"{AT_ONCE_SECONDS:.0f}"}))
        setattr(request, ADMITTED, None)
        try:
            return self.get_response(request)
        finally:
            admitted: Admitted | None = getattr(request, ADMITTED)
            if admitted:
                AT_ONCE.leave(admitted)
                if admitted.weight == HEAVY:
                    charge(admitted.user_id, time.monotonic() - admitted.begun_at)
