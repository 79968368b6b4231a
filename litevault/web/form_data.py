"""Query strings and HTML forms, decoded as strictly as JSON: nothing is replaced, cut or dropped."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError

from items.api.serializers import presentable
from items.texts import LONE_SURROGATE
from litevault.web.content_type import UNPARSABLE
from litevault.web.error_middleware import error_response
from litevault.web.errors import Problem, problem_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
UTF_8 = ("utf-8", "utf8")
# RFC 2046, section 5.1.1.
BOUNDARY = re.compile(r"[ -~]{0,69}[!-~]")
ENCODINGS = ("7bit", "8bit", "binary")
PART_HEAD_MAX_LENGTH = 1024  # bytes
CODE = "INVALID_REQUEST"


class StrictFormsMiddleware:
    """Decodes the query and the form before Django does, which replaces what is not UTF-8 and accepts half a form.

    It comes after BodyMiddleware, which has read the body.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The servers' interfaces: WSGI carries bytes as Latin-1, Django's ASGI request carries text.
        charset = "latin-1" if isinstance(request, WSGIRequest) else "utf-8"
        try:
            request.GET = _query_dict(decode_pairs(request.META.get("QUERY_STRING", "").encode(charset)))
            if request.content_type in (URLENCODED, MULTIPART) and request.body:
                form = _query_dict(_decode_form(request))
                request.form = form  # type: ignore[attr-defined]  # for the API, which takes forms by other methods, too
                # Views that check a password read POST, and only POST is limited and has its CSRF token checked.
                if request.method == "POST":
                    request.POST = form
                    # Otherwise Django parses the form again.
                    request._files = MultiValueDict()  # type: ignore[attr-defined]  # noqa: SLF001  # as REST framework does
        except APIException as error:
            return error_response(request, problem_of(error) or Problem.known(400))
        return self.get_response(request)


def _decode_form(request: HttpRequest) -> list[tuple[str, str]]:
    parameters = request.content_params or {}
    if parameters.get("charset", "utf-8").lower() not in UTF_8:
        raise ParseError("The form is not UTF-8.", code=CODE)
    if request.content_type == URLENCODED:
        return decode_pairs(request.body)
    return decode_parts(request.body, boundary=parameters.get("boundary", ""))


def decode_pairs(content: bytes) -> list[tuple[str, str]]:
    """Decode `name=value&…`, as in a query string. Raises ParseError and ValidationError."""
    _limit(content.count(b"&") + 1)
    pairs = [pair.partition(b"=") for pair in content.split(b"&") if pair]
    return [_decoded(_unquoted(name), _unquoted(value)) for name, _, value in pairs]


def decode_parts(content: bytes, *, boundary: str) -> list[tuple[str, str]]:
    """Decode multipart/form-data by RFC 7578. Raises ParseError and ValidationError."""
    if not BOUNDARY.fullmatch(boundary):
        raise ParseError("The form has no valid boundary.", code=CODE)
    before, *parts = (b"\r\n" + content).split(b"\r\n--" + boundary.encode())
    if before.strip() or not parts or parts[-1].rstrip() != b"--":
        raise ParseError("The form does not end with its boundary: a part of it may be missing.", code=CODE)
    _limit(len(parts) - 1)
    return [_decoded_part(part) for part in parts[:-1]]


def _decoded_part(part: bytes) -> tuple[str, str]:
    head, separator, value = part.partition(b"\r\n\r\n")
    headers = _headers(head) if len(head) <= PART_HEAD_MAX_LENGTH else {}
    disposition, parameters = headers.get("content-disposition", ("", {}))
    name = parameters.get("name")
    if not separator or disposition != "form-data" or name is None or LONE_SURROGATE.search(name):
        raise _malformed_part()
    if "filename" in parameters:
        raise _refused(name, "may not be a file.", code="invalid")
    _, content_parameters = headers.get("content-type", ("", {}))
    encoding, _ = headers.get("content-transfer-encoding", ("binary", {}))
    if content_parameters.get("charset", "utf-8").lower() not in UTF_8 or encoding not in ENCODINGS:
        raise _not_utf8(name)
    return _decoded(name.encode(), value)


def _headers(head: bytes) -> dict[str, tuple[str, dict[str, str]]]:
    """Parse `name: value; parameter=…` lines. The first line is the rest of the boundary's, which is empty."""
    try:
        rest, *lines = head.decode().split("\r\n")
        headers = [line.partition(":") for line in lines]
        parsed = {name.strip().lower(): parse_header_parameters(value.strip()) for name, _, value in headers}
    except UNPARSABLE:
        raise _malformed_part() from None
    if rest:
        raise _malformed_part()
    return parsed


def _unquoted(text: bytes) -> bytes:
    """A percent sign without two digits stands for itself, as in browsers."""
    return unquote_to_bytes(text.replace(b"+", b" "))


def _decoded(name: bytes, value: bytes) -> tuple[str, str]:
    field = name.decode(errors="replace")
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        raise _not_utf8(field) from None


def _not_utf8(field: str) -> ValidationError:
    return _refused(field, "is not UTF-8.", code="encoding")


def _refused(field: str, sentence: str, *, code: str) -> ValidationError:
    return ValidationError({presentable(field): [ErrorDetail(sentence, code=code)]})


def _malformed_part() -> ParseError:
    return ParseError("A part of the form is malformed.", code=CODE)


def _limit(fields: int) -> None:
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    if fields > limit:
        raise ParseError(f"There are more than {limit} fields.", code=CODE)


def _query_dict(pairs: list[tuple[str, str]]) -> Any:
    """Return an immutable QueryDict, without encoding a long text to have it decoded again."""
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    query._mutable = False  # noqa: SLF001  # as Django's own parser of forms does
    return query
