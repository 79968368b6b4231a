"""Checks of a request's body before it is parsed."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.http.request import UnreadablePostError

from litevault.web.error_middleware import error_response
from litevault.web.errors import Problem


class BodyMiddleware:
    """Refuses a body by its headers, before reading it, and a body that is shorter than its Content-Length.

    Django would accept the shorter body, and half of a text would be captured.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        problem = _problem_with(request.META) or _missing_part(request)
        return error_response(request, problem) if problem else self.get_response(request)


def _missing_part(request: HttpRequest) -> Problem | None:
    promised = int(request.META.get("CONTENT_LENGTH") or 0)
    try:
        is_whole = not promised or len(request.body) == promised
    except UnreadablePostError:
        is_whole = False
    return None if is_whole else Problem.known(400, message="The body ended before its Content-Length.")


def _problem_with(meta: Mapping[str, Any]) -> Problem | None:
    length = meta.get("CONTENT_LENGTH") or ("" if "HTTP_TRANSFER_ENCODING" in meta else "0")
    if not (length.isascii() and length.isdecimal()):
        return Problem.known(400, message="Send the length of the body in Content-Length.")
    if (
        len(length) > len(str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    ):
        return Problem.known(413)
    if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        return Problem.known(415)
    return None
