"""The actions of the list on the selected items, or on all that match."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from items.admin.bulk import BATCH_SIZE, BulkResult, change_matching, change_selected, minutes_to_retry
from items.admin.labels import DONE, Count, condition, hours_and_minutes, item_name
from items.admin.queries import bounded_count
from items.admin.undo_button import BulkDiscard
from items.models import Item, ItemQuerySet
from items.states import Action

NAMES_SHOWN = 20
ASKED_FIRST = (Action.REDRAFT, Action.DISCARD)

log = structlog.get_logger(__name__)

ModelAdmin: TypeAlias = "admin.ModelAdmin[Item]"


@admin.action(permissions=["retry"], description="Retry selected items")
def retry_selected(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    return _act(Action.RETRY, model_admin, request, matching=queryset)


@admin.action(permissions=["confirm"], description="Confirm selected items")
def confirm_selected(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    return _act(Action.CONFIRM, model_admin, request, matching=queryset)


@admin.action(permissions=["redraft"], description="Draft selected items again…")
def redraft_selected(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    return _act(Action.REDRAFT, model_admin, request, matching=queryset)


@admin.action(permissions=["restore"], description="Restore selected items")
def restore_selected(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    return _act(Action.RESTORE, model_admin, request, matching=queryset)


@admin.action(permissions=["discard"], description="Discard selected items…")
def discard_selected(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    return _act(Action.DISCARD, model_admin, request, matching=queryset)


def _act(
    action: Action, model_admin: ModelAdmin, request: HttpRequest, *, matching: ItemQuerySet
) -> HttpResponse | None:
    """Ask first when the action covers more than the page shows, or takes something away."""
    covers_all_matching = request.POST.get("select_across") == "1"
    # Not from `matching`: also report selected items that no longer match the filter.
    ids = {UUID(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)}
    if "confirmed" not in request.POST and (covers_all_matching or action in ASKED_FIRST):
        items = matching if covers_all_matching else Item.objects.filter(pk__in=ids)
        return _confirm(
            action,
            model_admin,
            request,
            items=items.allowing(action),
            covers_all_matching=covers_all_matching,
        )
    change = partial(change_matching, matching) if covers_all_matching else partial(change_selected, ids)
    change_and_report(request, action, change, filters=model_admin.get_preserved_filters(request))
    return None


def change_and_report(
    request: HttpRequest, action: Action, change: Callable[[Action], BulkResult], *, filters: str
) -> None:
    """Change items and add messages, with a button that undoes a discard and returns to the list with `filters`."""
    discard = BulkDiscard.begin()
    result = change(action)
    undo = discard.undo_button(request, filters=filters) if action == Action.DISCARD and result.changed else None
    report(request, action, result, undo=undo)


def _confirm(
    action: Action, model_admin: ModelAdmin, request: HttpRequest, *, items: ItemQuerySet, covers_all_matching: bool
) -> HttpResponse:
    """Repeat the selection in hidden fields, so that submitting the page acts on it."""
    count = bounded_count(items)
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": f"{action.label} {count.of_items}?",
        "opts": model_admin.opts,
        "action": action,
        **names_context(items, count),
        "covers_all_matching": covers_all_matching,
        "batch": BATCH_SIZE,
        "pace": hours_and_minutes(minutes) if (minutes := minutes_to_retry(count)) else "",
        "hidden_fields": [
            ("action", f"{action.value}_selected"),
            ("select_across", request.POST.get("select_across", "0")),
            ("confirmed", "yes"),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
        "back_url": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/items/item/confirm_action.html", context)


def names_context(items: ItemQuerySet, count: Count) -> dict[str, Any]:
    """Return the names of the newest of the items, and how many more there are, for confirm_action.html."""
    named = [item_name(item) for item in items.newest_first().select_related(None).only("title")[:NAMES_SHOWN]]
    more = count.number - len(named)
    return {"named": named, "more": Count(more, is_exact=count.is_exact) if more > 0 else None}


def report(request: HttpRequest, action: Action, result: BulkResult, *, undo: SafeString | None = None) -> None:
    """Add messages that say what was done. `undo` is a button in the first."""
    log.info(
        "items.reviewed",
        action=action.value,
        changed=result.changed,
        refused=result.refused.number,
        left=result.remaining.number,
        by=request.user.pk,
    )
    done = f"{Count(result.changed).of_items} {DONE[action]}.{_schedule(result)}"
    messages.add_message(
        request,
        messages.SUCCESS if result.changed else messages.WARNING,
        format_html("{} {}", done, undo) if undo else done,
    )
    report_unchanged(request, action, result)


def report_unchanged(request: HttpRequest, action: Action, result: BulkResult) -> None:
    if result.refused.number:
        messages.warning(request, f"{result.refused.of_items} refused: {condition(action)}")
    if result.missing:
        messages.warning(request, f"{Count(result.missing).of_items} not found: deleted together with the owner.")
    if result.remaining.number:
        messages.warning(
            request,
            f"Stopped at the time limit, with {result.remaining.of_items} remaining. Run the action again to continue.",
        )


def _schedule(result: BulkResult) -> str:
    if not result.minutes or not result.changed:
        return ""
    last = hours_and_minutes(result.minutes)
    return f" {BATCH_SIZE} are due now, the others {BATCH_SIZE} a minute, the last in {last}."
