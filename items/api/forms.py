"""Conversion of HTML forms to the JSON that the API expects."""

import csv
from collections.abc import Iterable
from typing import Any, cast

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, UnsupportedMediaType, ValidationError
from rest_framework.request import Request, is_form_media_type

from items.api.serializers import presentable
from items.models import Item
from items.texts import with_line_feeds

METHOD = "_method"
NEXT = "_next"
IF_MATCH = "_if_match"
CSRF = "csrfmiddlewaretoken"
SAVE = "save"  # the action of the Save button: only edit
SELECTED = "items"
UNCHECKED_THEN_CHECKED = ["false", "true"]
CHECKED = {"true": True, "on": True, "false": False}


def is_form(request: Request) -> bool:
    return bool(is_form_media_type(request.content_type))


def form_value(request: Request, name: str) -> str | None:
    """Return a field of a form, or None if it is missing or the body is not a form."""
    form = request.data if is_form(request) else None
    value = form.get(name) if isinstance(form, QueryDict) else None
    return value if isinstance(value, str) else None


def body_of(request: Request) -> dict[str, Any]:
    """Raises ParseError, UnsupportedMediaType and ValidationError."""
    if not isinstance(request.data, QueryDict):
        return cast(dict[str, Any], request.data)
    _refuse_repeats(request.data)
    return values_of(request.data)


def selection_of(request: Request) -> dict[str, Any]:
    """Return the fields of a form with a check box for each item. Raises UnsupportedMediaType for other bodies."""
    if not isinstance(request.data, QueryDict):
        raise UnsupportedMediaType(request.content_type)
    _refuse_repeats(request.data, but=SELECTED)
    return {**values_of(request.data), SELECTED: request.data.getlist(SELECTED)}


def values_of(form: QueryDict) -> dict[str, Any]:
    """Drop optional fields that are empty, and split the tags."""
    values: dict[str, Any] = {name: form[name] for name in form if name not in (METHOD, NEXT, IF_MATCH, CSRF)}
    for optional in ("action", "errorCode", "errorReason", "createdBefore"):
        if values.get(optional) in ("", SAVE):
            del values[optional]
    for text in ("rawText", "summary"):
        if text in values:
            # Browsers send a line break of a text area as CRLF.
            values[text] = values[text].replace("\r\n", "\n")
    if "tags" in values:
        values["tags"] = tags_of(values["tags"])
    if "enrich" in values:
        values["enrich"] = CHECKED.get(values["enrich"], values["enrich"])
    return values


def with_unchanged(values: dict[str, Any], request: Request, item: Item) -> dict[str, Any]:
    """Replace what a form sends back as its page showed it by what is stored, which a browser may not be able to send.

    A page shows CR as a line break, and no line breaks in a field of one line. It shows null as an empty field.
    """
    if not isinstance(request.data, QueryDict):
        return values
    shown = {
        "title": _without_breaks(item.title or ""),
        "summary": with_line_feeds(item.summary or ""),
        "tags": _without_breaks(line_of(item.tags)),
    }
    unchanged = {
        name for name, text in shown.items() if name in values and with_line_feeds(str(request.data[name])) == text
    }
    stored = {name: getattr(item, name) for name in unchanged}
    changed = {name: value for name, value in values.items() if name not in unchanged}
    return {**changed, **{name: value for name, value in stored.items() if value is not None}}


def _refuse_repeats(form: QueryDict, *, but: str = "") -> None:
    """Raises ValidationError. A box comes after a hidden field of its name, which is sent if it is not checked."""
    repeated = [
        name
        for name, values in form.lists()
        if len(values) > 1 and name != but and not (name == "enrich" and values == UNCHECKED_THEN_CHECKED)
    ]
    if repeated:
        raise ValidationError(
            {presentable(name): [ErrorDetail("may be given once.", code="repeated")] for name in repeated}
        )


def _without_breaks(text: str) -> str:
    return with_line_feeds(text).replace("\n", "")


def tags_of(line: str) -> list[str]:
    """Return the tags between the commas. A tag that contains a comma is quoted."""
    try:
        (tags,) = csv.reader([line.replace("\r", " ").replace("\n", " ")], skipinitialspace=True)
    except csv.Error:  # more than csv.field_size_limit() without a comma
        return [line]
    return [tag.strip() for tag in tags if tag.strip()]


def line_of(tags: Iterable[object]) -> str:
    """Return the line that `tags_of` splits into these tags."""
    return ", ".join(_quoted(str(tag)) for tag in tags)


def _quoted(tag: str) -> str:
    if "," in tag or tag.startswith('"'):
        return '"{}"'.format(tag.replace('"', '""'))
    return tag
