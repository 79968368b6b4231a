"""What a reviewer may do with many items at once, and what the page then says."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from items.models import Item, ItemQuerySet
from items.states import Action, InvalidTransition, Status, statuses_allowing

if TYPE_CHECKING:
    ItemModelAdmin = admin.ModelAdmin[Item]
else:
    # Without a patch that only development installs, the class takes no parameter at run time.
    ItemModelAdmin = admin.ModelAdmin

log = structlog.get_logger(__name__)

DONE: Mapping[Action, str] = MappingProxyType(
    {
        Action.EDIT: "edited",
        Action.CONFIRM: "confirmed and archived",
        Action.RETRY: "sent back to enrichment",
        Action.DISCARD: "discarded",
    }
)


@admin.action(permissions=["change"], description="Retry selected items")
def retry_selected(model_admin: ItemModelAdmin, request: HttpRequest, queryset: ItemQuerySet) -> None:
    matched = queryset.count()
    report(request, Action.RETRY, matched=matched, changed=queryset.retry())


@admin.action(permissions=["change"], description="Confirm selected items")
def confirm_selected(model_admin: ItemModelAdmin, request: HttpRequest, queryset: ItemQuerySet) -> None:
    matched = queryset.count()
    report(request, Action.CONFIRM, matched=matched, changed=queryset.confirm())


@admin.action(permissions=["change"], description="Discard selected items…")
def discard_selected(model_admin: ItemModelAdmin, request: HttpRequest, queryset: ItemQuerySet) -> HttpResponse | None:
    matched = queryset.count()
    if "confirmed" not in request.POST:
        return _ask_before_discard(model_admin, request, matched=matched)
    report(request, Action.DISCARD, matched=matched, changed=queryset.discard())
    return None


def report(request: HttpRequest, action: Action, *, matched: int, changed: int) -> None:
    """Say how many items the action changed and how many it refused. `matched` was counted before the change."""
    refused = max(0, matched - changed)
    log.info("items.reviewed", action=action.value, changed=changed, refused=refused, by=request.user.pk)
    messages.add_message(
        request,
        messages.SUCCESS if changed else messages.WARNING,
        f"{count_of_items(changed)} {DONE[action]}.",
    )
    if refused:
        messages.warning(request, f"{count_of_items(refused)} refused: {condition(action)}")


def refusal(error: InvalidTransition) -> str:
    """Why an action on one item did nothing. No text of the item stands in it."""
    status = Status(error.status).label
    return f"Not {DONE[error.action]}: the item has the status “{status}” now, and {condition(error.action)}"


def condition(action: Action) -> str:
    allowed = statuses_allowing(action)
    others = [status for status in Status if status not in allowed]
    if len(others) == 1:
        return f"one with the status “{others[0].label}” cannot be."
    return f"only one with the status {' or '.join(f'“{status.label}”' for status in allowed)} can be."


def count_of_items(count: int) -> str:
    return f"{count:,} item{'' if count == 1 else 's'}"


def _ask_before_discard(model_admin: ItemModelAdmin, request: HttpRequest, *, matched: int) -> HttpResponse:
    """Ask with the same selection in hidden fields, so that a yes repeats the action on it."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Discard {count_of_items(matched)}?",
        "opts": model_admin.opts,
        "hidden_fields": [
            ("action", discard_selected.__name__),
            ("select_across", request.POST.get("select_across", "0")),
            ("confirmed", "yes"),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
        "back_url": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/items/item/discard.html", context)
