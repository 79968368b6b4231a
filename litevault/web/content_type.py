"""Requests whose Content-Type Django cannot parse. It would fail before any middleware, without an error of ours."""

from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

UNKNOWN = "application/octet-stream"
UNPARSABLE = (ValueError, TypeError)
"""An unknown or unusable charset, as in `x*=none''y`, and parameters that do not fit together: `x*=a; x*0=b`."""


class LenientContentType(HttpRequest):
    """Takes such a type for an unknown one, which is refused with 415 wherever a body matters."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # the stubs lack it
        except UNPARSABLE:
            meta["CONTENT_TYPE"] = UNKNOWN  # REST framework parses it again
            super()._set_content_type_params(meta)  # type: ignore[misc]


class LenientRequest(LenientContentType, WSGIRequest):
    pass


class LenientASGIRequest(LenientContentType, ASGIRequest):
    pass
