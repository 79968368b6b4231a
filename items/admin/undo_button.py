"""The button in the message after a discard.

It refers to the items of a bulk discard by the request that discarded them: the audit trail knows which these are.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Max
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from items.audit import current_actor
from items.models import AuditEvent, Item
from items.states import Action
from items.words import KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDiscard:
    """What one request has discarded after an audit event."""

    request_id: str
    since: int

    @classmethod
    def begin(cls) -> "BulkDiscard":
        """Call this before the request discards anything."""
        last = AuditEvent.objects.aggregate(last=Max("id"))["last"]
        return cls(request_id=current_actor().request_id, since=last or 0)

    def undo_button(self, request: HttpRequest, *, filters: str) -> SafeString:
        """Return a button that restores the items, and returns to the list with these filters."""
        url = f"{reverse('admin:items_item_undo')}?{filters}"
        return _button(request, url, request_id=self.request_id, since=str(self.since))


def undo_button(request: HttpRequest, item: Item) -> SafeString:
    """Return a button that restores the item, and returns to the list or to the page of the item."""
    kept = {name: request.GET[name] for name in ("_changelist_filters",) if name in request.GET}
    if request.GET.get("back") == "list":
        kept["back"] = "list"
    return _button(request, f"{reverse('admin:items_item_restore', args=(item.pk,))}?{urlencode(kept)}")


def _button(request: HttpRequest, url: str, **fields: str) -> SafeString:
    hidden = {"csrfmiddlewaretoken": get_token(request), **fields}
    inputs = format_html_join("", '<input type="hidden" name="{}" value="{}">', hidden.items())
    template = '<form class="item-undo" method="post" action="{}">{}<button data-key="{}">Undo</button></form>'
    return format_html(template, url, inputs, KEYS[Action.RESTORE.value])
