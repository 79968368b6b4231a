"""Conversion of HTML forms to the JSON that the API expects."""

import csv
from collections.abc import Iterable
from typing import Any, cast

from django.http import QueryDict
from rest_framework.request import Request, is_form_media_type

METHOD = "_method"
NEXT = "_next"
IF_MATCH = "_if_match"
CSRF = "csrfmiddlewaretoken"
SAVE = "save"  # the action of the Save button: only edit
CHECKED = {"true": True, "on": True, "false": False}


def is_form(request: Request) -> bool:
    return bool(is_form_media_type(request.content_type))


def form_value(request: Request, name: str) -> str | None:
    """Return a field of a form, or None if it is missing or the body is not a form."""
    form = request.data if is_form(request) else None
    value = form.get(name) if isinstance(form, QueryDict) else None
    return value if isinstance(value, str) else None


def body_of(request: Request) -> dict[str, Any]:
    """Raises ParseError and UnsupportedMediaType."""
    return values_of(request.data) if isinstance(request.data, QueryDict) else cast(dict[str, Any], request.data)


def values_of(form: QueryDict) -> dict[str, Any]:
    """Drop optional fields that are empty, and split the tags."""
    values: dict[str, Any] = {name: form[name] for name in form if name not in (METHOD, NEXT, IF_MATCH, CSRF)}
    for optional in ("action", "errorCode", "createdBefore"):
        if values.get(optional) in ("", SAVE):
            del values[optional]
    if isinstance(values.get("rawText"), str):
        # Browsers send a line break of a text area as CRLF.
        values["rawText"] = values["rawText"].replace("\r\n", "\n")
    if isinstance(values.get("tags"), str):
        values["tags"] = tags_of(values["tags"])
    if "enrich" in values:
        values["enrich"] = CHECKED.get(values["enrich"], values["enrich"])
    return values


def tags_of(line: str) -> list[str]:
    """Return the tags between the commas. A tag that contains a comma is quoted."""
    (tags,) = csv.reader([line.replace("\r", " ").replace("\n", " ")], skipinitialspace=True)
    return [tag.strip() for tag in tags if tag.strip()]


def line_of(tags: Iterable[object]) -> str:
    """Return the line that `tags_of` splits into these tags."""
    return ", ".join(_quoted(str(tag)) for tag in tags)


def _quoted(tag: str) -> str:
    if "," in tag or tag.startswith('"'):
        return '"{}"'.format(tag.replace('"', '""'))
    return tag
