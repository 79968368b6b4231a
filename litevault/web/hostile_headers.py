"""Headers on which Django or REST framework would crash."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.http import parse_header_parameters

from litevault.web.content_type import UNKNOWN, UNPARSABLE

ACCEPT = "HTTP_ACCEPT"


class HostileHeadersMiddleware:
    """Replaces a type in Accept that cannot be parsed by an unknown one, and drops a cookie with a NUL.

    It comes first, because `request.headers` keeps what was read. A cookie may have a NUL as an octal escape in double
    quotes, and PostgreSQL refuses it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if ACCEPT in request.META:
            types = request.META[ACCEPT].split(",")
            request.META[ACCEPT] = ",".join(each if _is_parsable(each) else UNKNOWN for each in types)
        for name in [name for name, value in request.COOKIES.items() if "\x00" in value]:
            del request.COOKIES[name]
        return self.get_response(request)


def _is_parsable(media_type: str) -> bool:
    if "*" not in media_type.partition(";")[2]:  # as usual, without parsing it twice
        return True
    try:
        parse_header_parameters(media_type)
    except UNPARSABLE:
        return False
    return True
