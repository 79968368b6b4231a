"""The URLs behind the buttons of one item, on its page and in the list, and the preview of its text."""

from copy import copy
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection, transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from items.admin.labels import CHANGED_MEANWHILE, DONE, GONE, NO_MORE, item_name, refusal
from items.admin.neighbours import next_after
from items.admin.permissions import deletes_a_user, may
from items.admin.undo_button import undo_button
from items.audit import AuditAction
from items.models import AuditEvent, Item, ItemQuerySet
from items.states import Action, InvalidTransition, Outcome

BACK_TO_LIST = {"back": "list"}
ON_TO_NEXT = {"back": "next"}


class ItemActionsAdmin(ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    """Each action requires its own permission, on every page with its button."""

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            *(
                path(
                    f"<uuid:item_id>/{action.value}/",
                    guarded(self.action_view),
                    {"action": action},
                    name=f"items_item_{action.value}",
                )
                for action in Action
                if action != Action.EDIT
            ),
            path("<uuid:item_id>/preview/", guarded(self.preview_view), name="items_item_preview"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Items are captured through the API, where their owner is known."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        """Items are discarded, not deleted. The page that deletes a user also deletes the user's items."""
        return deletes_a_user(request) and super().has_delete_permission(request, obj)

    # Required by the actions in items.admin.actions.

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return may(request, Action.RETRY)

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return may(request, Action.CONFIRM)

    def has_redraft_permission(self, request: HttpRequest) -> bool:
        return may(request, Action.REDRAFT)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return may(request, Action.RESTORE)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return may(request, Action.DISCARD)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Item | None:
        """Lock an item that may be changed, so that nobody else changes it between the checks and the save."""
        item: Item | None = super().get_object(request, object_id, from_field)
        if item is not None and request.method == "POST" and connection.in_atomic_block:
            item = Item.objects.select_for_update().filter(pk=item.pk).first()
        return item

    @transaction.atomic
    def action_view(self, request: HttpRequest, item_id: UUID, action: Action) -> HttpResponse:
        """Act on POST, but ask before edits are replaced. On GET, ask before a discard, or redirect to the item."""
        if not (may(request, action) and self.has_view_permission(request)):
            raise PermissionDenied
        item = self.get_object(request, str(item_id))
        if item is None:
            self.message_user(request, GONE, messages.WARNING)
            return HttpResponseRedirect(self.list_url(request))
        if request.method == "POST":
            if action == Action.REDRAFT and "confirmed" not in request.POST and was_edited(item):
                return self._confirm(request, item, action)
            status = item.status
            response = self._act(request, item, action)
            is_done = item.status != status
            return self.redirect_to_next(request, item, status=status) if is_done and _leads_on(request) else response
        if action == Action.DISCARD and action in item.allowed_actions:
            return self._confirm(request, item, action)
        return HttpResponseRedirect(self.detail_url(request, item_id))

    def preview_view(self, request: HttpRequest, item_id: UUID) -> HttpResponse:
        """Show the text and the draft: a fragment for the script of the list, and a page without the script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context: dict[str, Any] = {
            "item": self.get_object(request, str(item_id)),
            "gone": GONE,
            "detail_url": self.detail_url(request, item_id),
        }
        if "part" in request.GET:
            return TemplateResponse(request, "admin/items/item/preview_part.html", context)
        context |= {**self.admin_site.each_context(request), "title": "Preview", "opts": self.opts}
        return TemplateResponse(request, "admin/items/item/preview.html", context)

    def report_done(self, request: HttpRequest, action: Action, item: Item) -> None:
        done = f"The item {item_name(item)} was {DONE[action]}."
        is_undoable = action == Action.DISCARD
        message = format_html("{} {}", done, undo_button(request, item)) if is_undoable else done
        self.message_user(request, message, messages.SUCCESS)

    def _act(self, request: HttpRequest, item: Item, action: Action) -> HttpResponse:
        seen_at = request.POST.get("seen") or request.GET.get("seen")
        try:
            if seen_at and seen_at != item.updated_at.isoformat():
                self.message_user(request, CHANGED_MEANWHILE, messages.ERROR)
            else:
                item.perform(action)
                self.log_change(request, item, f"{DONE[action].capitalize()}.")
                self.report_done(request, action, item)
        except InvalidTransition as error:
            self.message_user(request, refusal(error), messages.ERROR)
        return HttpResponseRedirect(self._back_url(request, item))

    def _confirm(self, request: HttpRequest, item: Item, action: Action) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Draft this item again?" if action == Action.REDRAFT else "Discard this item?",
            "subtitle": str(item),
            "opts": self.opts,
            "action": action,
            "was_edited": action == Action.REDRAFT,
            "hidden_fields": [("confirmed", "yes")],
            "back_url": self._back_url(request, item),
        }
        return TemplateResponse(request, "admin/items/item/confirm_action.html", context)

    def _back_url(self, request: HttpRequest, item: Item) -> str:
        """Return to the page that the button was on."""
        return self.list_url(request) if _has(request, BACK_TO_LIST) else self.detail_url(request, item.pk)

    def listed_items(self, request: HttpRequest) -> ItemQuerySet:
        """Return all items of the list that the reviewer came from, filtered and sorted."""
        list_request = copy(request)
        list_request.GET = QueryDict(request.GET.get("_changelist_filters", ""))
        list_request.shows_no_list = True  # type: ignore[attr-defined]  # for ItemChangeList
        try:
            items = self.get_changelist_instance(list_request).queryset
        except (IncorrectLookupParameters, SuspiciousOperation):
            items = Item.objects.none()
        return cast(ItemQuerySet, items)

    def redirect_to_next(self, request: HttpRequest, item: Item, *, status: str) -> HttpResponse:
        """Go to the next item of the list with the status that this one had, or back to the list after the last."""
        next_id = next_after(item, self.listed_items(request).filter(status=status))
        if next_id is None:
            self.message_user(request, NO_MORE)
            return HttpResponseRedirect(self.list_url(request))
        return HttpResponseRedirect(self.detail_url(request, next_id))

    def list_url(self, request: HttpRequest) -> str:
        return self._with_filters(request, reverse("admin:items_item_changelist"))

    def detail_url(self, request: HttpRequest, item_id: object) -> str:
        return self._with_filters(request, reverse("admin:items_item_change", args=(item_id,)))

    def _with_filters(self, request: HttpRequest, url: str) -> str:
        """Keep the filters of the list that the reviewer came from."""
        context: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return str(add_preserved_filters(context, url))


def _leads_on(request: HttpRequest) -> bool:
    return _has(request, ON_TO_NEXT)


def _has(request: HttpRequest, query: dict[str, str]) -> bool:
    return all(request.GET.get(name) == value for name, value in query.items())


def was_edited(item: Item) -> bool:
    """Whether a person has edited the draft, as far back as the audit trail goes."""
    drafted_at = item.attempts.filter(outcome=Outcome.SUCCEEDED).aggregate(last=Max("finished_at"))["last"]
    edits = AuditEvent.objects.filter(object_id=str(item.pk), action=AuditAction.EDIT)
    return (edits.filter(at__gt=drafted_at) if drafted_at else edits).exists()
