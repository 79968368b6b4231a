"""The buttons in a row of the list."""

from typing import Any
from urllib.parse import urlencode

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from items.states import Action


def buttons(item: Any) -> SafeString:
    """The preview and the buttons of a row. Each button sends the form of the list to an address of its own."""
    name = item.title or str(item.pk)[:8]
    links = [_row_link(item, "preview", "Preview", name)]
    if Action.RETRY in item.permitted:
        links.append(_row_button(item, Action.RETRY, name))
    if Action.CONFIRM in item.permitted:
        links.append(_row_button(item, Action.CONFIRM, name, seen=item.updated_at.isoformat()))
    if Action.DISCARD in item.permitted:
        links.append(_row_link(item, Action.DISCARD.value, "Discard…", name))
    return format_html_join("\n", "{}", ((link,) for link in links))


def _row_link(item: Any, verb: str, label: str, name: str) -> SafeString:
    template = '<a class="item-verb item-verb-{}" href="{}" aria-label="{} {}">{}</a>'
    return format_html(template, verb, _address(item, verb), label, name, label)


def _row_button(item: Any, action: Action, name: str, **query: str) -> SafeString:
    template = '<button type="submit" class="item-verb" formaction="{}" aria-label="{} {}">{}</button>'
    return format_html(template, _address(item, action.value, **query), action.label, name, action.label)


def _address(item: Any, verb: str, **query: str) -> str:
    # Put together by hand: to reverse four addresses for each row took as long as the database.
    return f"{item.pk}/{verb}/?{'&'.join(filter(None, (item.query, urlencode(query))))}"
