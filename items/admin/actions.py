"""What a reviewer may do with many items at once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from items.admin.batches import BATCH, minutes_to_retry, move_matching, move_selected
from items.admin.counting import Count, counted
from items.admin.generics import ItemModelAdmin
from items.admin.reports import report
from items.admin.words import minutes_in_words
from items.models import Item, ItemQuerySet
from items.states import Action

NAMES: Mapping[Action, str] = MappingProxyType(
    {Action.RETRY: "retry_selected", Action.CONFIRM: "confirm_selected", Action.DISCARD: "discard_selected"}
)


@admin.action(permissions=["retry"], description="Retry selected items")
def retry_selected(model_admin: ItemModelAdmin, request: HttpRequest, queryset: ItemQuerySet) -> HttpResponse | None:
    return _act(Action.RETRY, model_admin, request, matching=queryset)


@admin.action(permissions=["confirm"], description="Confirm selected items")
def confirm_selected(model_admin: ItemModelAdmin, request: HttpRequest, queryset: ItemQuerySet) -> HttpResponse | None:
    return _act(Action.CONFIRM, model_admin, request, matching=queryset)


@admin.action(permissions=["discard"], description="Discard selected items…")
def discard_selected(model_admin: ItemModelAdmin, request: HttpRequest, queryset: ItemQuerySet) -> HttpResponse | None:
    return _act(Action.DISCARD, model_admin, request, matching=queryset)


def _act(
    action: Action, model_admin: ItemModelAdmin, request: HttpRequest, *, matching: ItemQuerySet
) -> HttpResponse | None:
    """Ask first when it is about more than the page shows, or cannot be undone."""
    is_about_all = request.POST.get("select_across") == "1"
    # Those that were ticked, also if they do not match the filter any more: what became of them is said.
    ids = {UUID(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)}
    if "confirmed" not in request.POST and (is_about_all or action == Action.DISCARD):
        items = matching if is_about_all else Item.objects.filter(pk__in=ids)
        return _ask(action, model_admin, request, count=counted(items.allowing(action)), is_about_all=is_about_all)
    report(request, action, move_matching(matching, action) if is_about_all else move_selected(ids, action))
    return None


def _ask(
    action: Action, model_admin: ItemModelAdmin, request: HttpRequest, *, count: Count, is_about_all: bool
) -> HttpResponse:
    """Ask with the same selection in hidden fields, so that a yes repeats the action on it."""
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": f"{action.label} {count.of_items}?",
        "opts": model_admin.opts,
        "action": action,
        "is_about_all": is_about_all,
        "batch": BATCH,
        "pace": minutes_in_words(minutes) if (minutes := minutes_to_retry(count)) else "",
        "hidden_fields": [
            ("action", NAMES[action]),
            ("select_across", request.POST.get("select_across", "0")),
            ("confirmed", "yes"),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
        "back_url": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/items/item/ask.html", context)
