"""The failed items by reason: one row for each, with what to do, and buttons for all of its items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from items.admin.actions import change_and_report
from items.admin.bulk import change_matching
from items.admin.filters import NO_REASON, failed_because
from items.admin.labels import Count
from items.admin.permissions import may
from items.admin.queries import CAUSES, CAUSES_PLAN, COUNT_LIMIT, bounded_count, fetch_all
from items.models import Item
from items.reasons import Reason
from items.states import Action, Status
from items.words import KEYS

OVERVIEW = {"status": Status.FAILED.value}
"""The query of the list that begins with the reasons."""

MODELS_FROM = 30
"""How many of the newest items of a reason are looked at for models."""

ACTIONS = (Action.RETRY, Action.DISCARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The failed items with one reason. Items that an earlier version or plain SQL failed have none."""

    reason: Reason | None
    count: Count
    since: datetime
    """When the first of them failed, of the newest COUNT_LIMIT."""
    models: Sequence[str]

    @property
    def name(self) -> str:
        return self.reason or NO_REASON

    @property
    def label(self) -> str:
        return self.reason.label if self.reason else "No reason recorded"

    @property
    def advice(self) -> SafeString:
        """Show what is in backticks as code."""
        parts = self.reason.advice.split("`") if self.reason else ["Their errors are in the list below."]
        return format_html_join("", "{}<code>{}</code>", zip(parts[::2], [*parts[1::2], ""], strict=True))


def read_causes() -> Iterator[Cause]:
    """Yield the most frequent reason first."""
    reasons = [*(reason.value for reason in Reason), None]
    with transaction.atomic():
        fetch_all(CAUSES_PLAN)
        rows = fetch_all(CAUSES, reasons=reasons, limit=COUNT_LIMIT + 1, sample=MODELS_FROM)
    for name, number, since, models in rows:
        is_exact = number <= COUNT_LIMIT
        yield Cause(
            reason=Reason[name] if name else None,
            count=Count(number) if is_exact else bounded_count(failed_because(Item.objects.all(), name or NO_REASON)),
            since=since,
            models=models or (),
        )


class CausesAdmin(ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    class Media:
        css: ClassVar = {"all": ("items/causes.css",)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.cause_view)
        return [
            *(
                path(
                    f"causes/<str:reason>/{action.value}/", view, {"action": action}, name=f"items_cause_{action.value}"
                )
                for action in ACTIONS
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Begin the list of failed items with their reasons, unless it is filtered further."""
        is_overview = request.GET.dict() == OVERVIEW and self.has_view_permission(request)
        context = {
            "causes": list(read_causes()) if is_overview else (),
            "cause_actions": {action.value: KEYS[action.value] for action in ACTIONS if may(request, action)},
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def cause_view(self, request: HttpRequest, reason: str, action: Action) -> HttpResponse:
        """Act on all failed items with the reason on POST. On GET, ask before a discard."""
        if not (may(request, action) and self.has_view_permission(request)):
            raise PermissionDenied
        if reason not in {*Reason, NO_REASON}:
            raise Http404
        overview_url = reverse("admin:items_item_changelist", query=OVERVIEW)
        items = failed_because(Item.objects.all(), reason)
        if request.method == "POST":
            filters = urlencode({"_changelist_filters": urlencode(OVERVIEW)})
            change_and_report(request, action, partial(change_matching, items), filters=filters)
        elif action == Action.DISCARD:
            context = {
                **self.admin_site.each_context(request),
                "title": f"{action.label} {bounded_count(items).of_items}?",
                "subtitle": Reason[reason].sentence if reason != NO_REASON else None,
                "opts": self.opts,
                "action": action,
                "covers_all_matching": True,
                # The shortcut of the row and Enter.
                "is_button_focused": True,
                "back_url": overview_url,
            }
            return TemplateResponse(request, "admin/items/item/confirm_action.html", context)
        return HttpResponseRedirect(overview_url)
