"""Tags of the owner's pages: times, and words in place of codes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django import template
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from items.states import Action, Outcome, SourceType, Status
from items.words import KEYS, error_title

register = template.Library()

MAIN = Action.CONFIRM


@register.simple_tag
def local_time(value: datetime | str | None, otherwise: str = "") -> SafeString | str:
    """Render a time in UTC. web/times.js replaces it by that of the browser's zone."""
    if not value:
        return otherwise
    time = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    text = format_date(time, "j M Y, H:i")
    return format_html('<time datetime="{}" title="{} UTC">{} UTC</time>', f"{time:%Y-%m-%dT%H:%M:%SZ}", text, text)


@register.filter
def status_label(status: str) -> str:
    return str(Status(status).label)


@register.filter
def type_label(source_type: str | None) -> str:
    return str(SourceType(source_type).label) if source_type else ""


@register.filter
def outcome_label(outcome: str) -> str:
    return str(Outcome(outcome).label).partition(":")[0]


@register.filter
def error_label(code: str | None) -> str:
    return error_title(code) if code else ""


@register.filter
def error_sentence(error: str) -> str:
    """Return the sentence of an enrichment error, without its code."""
    code, _, sentence = error.partition(": ")
    return sentence or error_title(code)


@register.filter
def key_of(action: str) -> str:
    """Return the key of a button that acts on one item."""
    return KEYS.get(action, "")


class Button(NamedTuple):
    """A button of a form that acts on one item. `is_patch` says that the action is a field of the form."""

    action: str
    label: str
    url: str
    key: str
    is_patch: bool
    is_main: bool


@register.simple_tag
def buttons_of(item: Mapping[str, Any]) -> list[Button]:
    """Return a button for each action that the item allows, but editing."""
    return [_button(item["id"], Action(name)) for name in item["allowedActions"] if name != Action.EDIT]


def _button(item_id: str, action: Action) -> Button:
    url = reverse("item", args=[item_id])
    is_patch = action in (Action.CONFIRM, Action.DISCARD)
    return Button(
        action=action.value,
        label=str(action.label),
        url=url if is_patch else f"{url}/{action.value}",
        key=key_of(action.value),
        is_patch=is_patch,
        is_main=action == MAIN,
    )
