"""The version of LiteVault in every response, so that a report of a problem names it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from litevault import __version__

HEADER = "X-LiteVault-Version"


class VersionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers[HEADER] = __version__
        return response
