"""A filter for the lists of the admin, whose rows are cards on narrow screens."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

register = template.Library()

CELL = "<td"


@register.filter
def labelled(cells: Iterable[SafeString], headers: Iterable[Mapping[str, Any]]) -> list[SafeString]:
    """Give each cell of a row the name of its column, except the checkbox and the cell that names the row."""
    return [_labelled(cell, header) for cell, header in zip(cells, headers, strict=True)]


def _labelled(cell: SafeString, header: Mapping[str, Any]) -> SafeString:
    if not cell.startswith(CELL) or "action-checkbox-column" in header["class_attrib"]:
        return cell
    return format_html('<td data-label="{}"{}', capfirst(header["text"]), SafeString(cell.removeprefix(CELL)))
