"""The parsers of bodies for REST framework."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn, cast

from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request

MAX_DEPTH = 20
CODE = "INVALID_REQUEST"


class StrictJSONParser(JSONParser):
    """Parses JSON strictly by RFC 8259: one object in UTF-8, without duplicate names, NaN or deep nesting."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            text = stream.read().decode("utf-8-sig")
            value = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8.", code=CODE) from None
        except RecursionError:
            raise _too_deep() from None
        except ValueError:
            raise ParseError("The body is not JSON.", code=CODE) from None
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.", code=CODE)
        if _is_deeper(value, MAX_DEPTH):
            raise _too_deep()
        return value


class FormParser(BaseParser):
    """Return the form as StrictFormsMiddleware decoded it."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, _stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> QueryDict:
        request: Request = (parser_context or {})["request"]
        return cast(QueryDict, getattr(request._request, "form", QueryDict()))


class MultiPartParser(FormParser):
    media_type = "multipart/form-data"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ParseError("The body contains a field twice.", code=CODE)
    return values


def _refuse_constant(_name: str) -> NoReturn:
    raise ParseError("The body contains NaN or Infinity, which are not JSON.", code=CODE)


def _too_deep() -> ParseError:
    return ParseError(f"The body is nested more than {MAX_DEPTH} levels deep.", code=CODE)


def _is_deeper(value: dict[str, Any], limit: int) -> bool:
    """Check level by level, so that a deep body does not exhaust the stack."""
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(parent: dict[str, Any] | list[Any]) -> list[Any]:
    values = parent.values() if isinstance(parent, dict) else parent
    return [value for value in values if isinstance(value, dict | list)]
