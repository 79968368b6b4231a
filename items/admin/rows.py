"""The rows of the list of items. Written in Python: for 50 rows, a template takes longer than the database."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from items.admin.labels import short_id
from items.admin.permissions import may
from items.models import Item
from items.search import Search
from items.states import Action, Status
from items.words import KEYS

# `data-row` is for web/keyboard.js, and the checkbox for Django's actions.js.
ROW = """<tr data-row="{pk}">
<td class="action-checkbox">{checkbox}</td>
<th scope="row" class="field-headline"><a href="{url}{pk}/change/{query}" data-open>{headline}</a></th>
<td class="field-status"><span class="item-status status-{status_class}">{status}</span></td>
<td class="field-error">{error}</td>
<td class="field-owner"><a href="?{owner_query}" title="Items of this owner">{owner}</a></td>
<td class="field-age"><time datetime="{captured_at}" title="{captured_title}">{age}</time></td>
<td class="field-attempts">{attempts}</td>
<td class="field-buttons">{buttons}</td>
</tr>
"""
CHECKBOX = """<label><input type="checkbox" name="_selected_action" value="{}" class="action-select"
 aria-label="Select {}"></label>"""
ERROR = '<span class="item-sentence">{}</span> <code class="item-code">{}</code>'
LINK = '<a class="item-row-action item-row-action-{}" href="{}" aria-label="{} {}" data-key="{}">{}</a>'
BUTTON = '<button type="submit" class="item-row-action" formaction="{}" aria-label="{} {}" data-key="{}">{}</button>'

LINKS = {Action.DISCARD: "Discard…"}
"""Actions with a question: a link to its page. Other actions are buttons, which submit the form of the list."""


class Rows:
    """`back` and `filters` are queries of a URL: where an action returns to, and the filters of the list."""

    def __init__(self, request: HttpRequest, search: Search, *, back: str, filters: str, is_selectable: bool) -> None:
        self._permitted = {action for action in Action if action != Action.EDIT and may(request, action)}
        self._search = search
        self._is_selectable = is_selectable
        self._back = back
        self._filters = f"?{filters}" if filters else ""
        self._url_of_list = reverse("admin:items_item_changelist")
        self._now = timezone.now()

    def render(self, items: Iterable[Any]) -> Iterator[SafeString]:
        """Yield each item as HTML. `attempts_number` is an annotation."""
        return map(self._row, items)

    def _row(self, item: Any) -> SafeString:
        owner = item.owner.get_username()
        name = item.title or short_id(item)
        return format_html(
            ROW,
            pk=item.pk,
            checkbox=format_html(CHECKBOX, item.pk, name) if self._is_selectable else "",
            url=self._url_of_list,
            query=self._filters,
            headline=self._headline(item),
            status_class=item.status.lower(),
            status=Status(item.status).label,
            error=_error(item),
            owner_query=urlencode({"owner": owner}),
            owner=self._search.marked(owner),
            captured_at=item.created_at.isoformat(),
            captured_title=f"{item.created_at:%Y-%m-%d %H:%M:%S} UTC",
            age=self._age(item.created_at),
            attempts=item.attempts_number or 0,
            buttons=SafeString("\n".join(self._buttons(item, name))),
        )

    def _headline(self, item: Item) -> SafeString:
        if item.title:
            return format_html("<bdi>{}</bdi>", self._search.marked(item.title))
        return format_html("Untitled <code>{}</code>", short_id(item))

    def _age(self, captured_at: datetime) -> str:
        if self._now - captured_at < timedelta(minutes=1):
            return "just now"
        return f"{timesince(captured_at, self._now, depth=1)} ago"

    def _buttons(self, item: Item, name: str) -> Iterator[SafeString]:
        yield self._link(item, "preview", "Preview", name)
        for action in item.allowed_actions:
            if action not in self._permitted:
                continue
            if action in LINKS:
                yield self._link(item, action.value, LINKS[action], name)
            else:
                seen = {"seen": item.updated_at.isoformat()} if action == Action.CONFIRM else {}
                url = self._url(item, action.value, **seen)
                yield format_html(BUTTON, url, action.label, name, KEYS.get(action.value, ""), action.label)

    def _link(self, item: Item, action: str, label: str, name: str) -> SafeString:
        return format_html(LINK, action, self._url(item, action), label, name, KEYS.get(action, ""), label)

    def _url(self, item: Item, action: str, **query: str) -> str:
        # Not reversed: to reverse four URLs for each row takes as long as the database.
        return f"{item.pk}/{action}/?{'&'.join(filter(None, (self._back, urlencode(query))))}"


def _error(item: Item) -> str:
    if not item.enrichment_error:
        return ""
    code, _, sentence = item.enrichment_error.partition(":")
    return format_html(ERROR, sentence.strip(), code)
