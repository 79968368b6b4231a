"""The one shape of every error, from the API, from Django or from a crash.

A message is a fixed sentence, never the text of an exception, which may contain a key or a user's text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import Error
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from items.states import InvalidTransition
from postgres.sqlstates import drop_read_only_connection, is_read_only, refuses_data, sqlstate_of

logger = structlog.get_logger(__name__)

KNOWN = {
    400: ("INVALID_REQUEST", "The request is malformed."),
    401: ("UNAUTHORIZED", "Authentication is required: send a token, or log in."),
    403: ("FORBIDDEN", "You do not have the permission for this."),
    404: ("NOT_FOUND", "Not found."),
    405: ("METHOD_NOT_ALLOWED", "This URL does not allow the method."),
    406: ("NOT_ACCEPTABLE", "The response is available as application/json or text/html."),
    413: ("PAYLOAD_TOO_LARGE", f"The body must not exceed {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024:,} KiB."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json, in UTF-8 and uncompressed."),
    429: ("RATE_LIMITED", "Too many requests. Try again later."),
    500: ("INTERNAL_ERROR", "An internal error occurred. The log has it under the request id."),
    503: ("SERVICE_UNAVAILABLE", "The service cannot reach its database. Try again in a moment."),
}
RETRY_AFTER_SECONDS = 5
CSRF_REFUSED = (
    "The CSRF token of the page is missing or out of date. Load the page again, and repeat the change. Programs "
    "authenticate with an API token instead."
)
ORIGIN_REFUSED = (
    "The request does not come from a page of this site, or the browser does not say so. Operators list the origins of "
    "the site in LITEVAULT_CSRF_TRUSTED_ORIGINS."
)
CSRF_OF_REST_FRAMEWORK = "CSRF Failed: "
READ_ONLY = "The database is read-only. Changes are possible again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as clients see it."""

    status: int
    code: str
    message: str
    details: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def known(cls, status: int, **fields: Any) -> "Problem":
        """Return the default problem of a status, with `fields` replaced."""
        code, message = KNOWN.get(status) or KNOWN[400 if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500]
        return cls(**{"status": status, "code": code, "message": message, **fields})

    @property
    def envelope(self) -> dict[str, dict[str, Any]]:
        error = {"code": self.code, "message": self.message, "requestId": request_id()}
        return {"error": {**error, "details": self.details} if self.details else error}


def request_id() -> str | None:
    return structlog.contextvars.get_contextvars().get("request_id")


def exception_handler(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """Handle exceptions for REST framework. An unknown one is a crash, which is left to the middleware."""
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    return Response(problem.envelope, status=problem.status, headers=dict(problem.headers))


def problem_of(error: Exception) -> Problem | None:
    """Return the problem for an exception, or None for an unexpected one."""
    for kinds, build in PROBLEM_BUILDERS:
        if isinstance(error, kinds):
            return build(error)
    return None


def crash(error: Exception) -> Problem:
    """Log the exception, without its message, and return the problem for the client."""
    logger.error("request.crashed", exc_info=error)
    return Problem.known(500)


def csrf_problem(reason: str) -> Problem:
    """Return the problem for a reason of Django's CSRF check, which is never shown: it may quote the request."""
    is_of_origin = reason.startswith(("Origin ", "Referer "))
    return Problem.known(403, message=ORIGIN_REFUSED if is_of_origin else CSRF_REFUSED)


def _permission_denied(error: exceptions.PermissionDenied) -> Problem:
    detail = str(error.detail)
    if detail.startswith(CSRF_OF_REST_FRAMEWORK):
        return csrf_problem(detail.removeprefix(CSRF_OF_REST_FRAMEWORK))
    return _api_exception(error)


def _invalid_transition(error: InvalidTransition) -> Problem:
    allowed = [action.value for action in error.allowed_actions]
    return Problem(
        status=HTTPStatus.CONFLICT,
        code="INVALID_STATE_TRANSITION",
        message=str(error),  # a fixed sentence of ours
        details={"currentState": error.status, "attemptedAction": error.action, "allowedActions": allowed},
    )


def _invalid_fields(error: exceptions.ValidationError) -> Problem:
    found = cast(dict[str, list[exceptions.ErrorDetail]], error.detail)
    fields = [
        {"field": name, "message": f"{name} {detail}", "constraint": detail.code}
        for name, details in found.items()
        for detail in details
    ]
    return Problem(
        status=HTTPStatus.BAD_REQUEST,
        code="VALIDATION_ERROR",
        message=str(fields[0]["message"]),
        details={"fields": fields},
    )


def _api_exception(error: exceptions.APIException) -> Problem:
    """Keep the message only if the code is ours, in capitals: REST framework's own messages quote the request."""
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = f"{wait:.0f}"
    code = error.get_codes()
    if isinstance(code, str) and code.isupper():
        return Problem(status=error.status_code, code=code, message=str(error.detail), headers=headers)
    return Problem.known(error.status_code, headers=headers)


def _database_error(error: Error) -> Problem | None:
    """A request with data that the database refuses is a crash: each way in checks its data first."""
    if refuses_data(error):
        return None
    logger.error("database.unavailable", error=type(error.__cause__ or error).__name__, sqlstate=sqlstate_of(error))
    drop_read_only_connection(error)
    message = {"message": READ_ONLY} if is_read_only(error) else {}
    return Problem.known(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}, **message)


PROBLEM_BUILDERS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], Problem | None]], ...] = (
    ((InvalidTransition,), _invalid_transition),
    ((exceptions.ValidationError,), _invalid_fields),
    ((exceptions.PermissionDenied,), _permission_denied),
    ((exceptions.APIException,), _api_exception),
    ((Http404,), lambda _: Problem.known(404)),
    ((PermissionDenied,), lambda _: Problem.known(403)),
    ((RequestDataTooBig,), lambda _: Problem.known(413)),
    ((BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError), lambda _: Problem.known(400)),
    ((Error,), _database_error),
)
