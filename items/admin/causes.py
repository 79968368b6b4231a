"""The failed items by reason: one row for each, with what to do, and buttons for all of its items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from items.admin.actions import change_and_report, names_context
from items.admin.bulk import change_matching
from items.admin.filters import NO_REASON, OTHER_CODE, failed_because, failed_with
from items.admin.labels import Count
from items.admin.permissions import may
from items.admin.queries import (
    CAUSES,
    CAUSES_PLAN,
    CODES_OF_UNKNOWN_REASONS,
    COUNT_LIMIT,
    bounded_count,
    fetch_all,
    unknown_reasons,
)
from items.models import Item, ItemQuerySet
from items.reasons import ERROR_CODES, Reason
from items.states import Action, Status
from items.words import KEYS

OVERVIEW = {"status": Status.FAILED.value}
"""The query of the list that begins with the reasons."""

MODELS_FROM = 30
"""How many of the newest items of a reason are looked at for models."""

ACTIONS = (Action.RETRY, Action.DISCARD)

UNKNOWN_ADVICE = "Plain SQL or another version failed them. Their errors are in the list below."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why items failed: a reason or, for items without a reason that this version knows, an error code."""

    reason: Reason | None = None
    code: str | None = None

    @classmethod
    def of(cls, reason: str | None, code: str) -> Self:
        if reason and reason in Reason.__members__:
            return cls(reason=Reason[reason])
        return cls(code=code if code in ERROR_CODES else OTHER_CODE)

    @classmethod
    def named(cls, name: str) -> Self | None:
        """Return the cause with this name in a URL, or None."""
        if name in Reason.__members__:
            return cls(reason=Reason[name])
        code = name.removeprefix(f"{NO_REASON}_")
        return cls(code=code) if code != name and code in (*ERROR_CODES, OTHER_CODE) else None

    @property
    def name(self) -> str:
        return self.reason or f"{NO_REASON}_{self.code}"

    @property
    def label(self) -> str:
        if self.reason:
            return self.reason.label
        return f"Unknown reason, {'other codes' if self.code == OTHER_CODE else self.code}"

    @property
    def advice(self) -> SafeString:
        """Show what is in backticks as code."""
        parts = (self.reason.advice if self.reason else UNKNOWN_ADVICE).split("`")
        return format_html_join("", "{}<code>{}</code>", zip(parts[::2], [*parts[1::2], ""], strict=True))

    @property
    def query(self) -> str:
        """The filters of the list."""
        code = {"error_code": self.code} if self.code else {}
        return urlencode({**OVERVIEW, "error_reason": self.reason or NO_REASON, **code})

    def items(self) -> ItemQuerySet:
        items = failed_because(Item.objects.all(), self.reason or NO_REASON)
        return failed_with(items, self.code) if self.code else items


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedGroup(Cause):
    """The failed items with one cause."""

    count: Count
    since: datetime
    """When the first of them failed, of the newest COUNT_LIMIT."""
    models: Sequence[str]


def read_groups() -> list[FailedGroup]:
    """Return the largest group first."""
    limit = COUNT_LIMIT + 1
    with transaction.atomic():
        fetch_all(CAUSES_PLAN)
        known = fetch_all(CAUSES, reasons=[*map(str, Reason)], limit=limit, sample=MODELS_FROM)
        unknown = fetch_all(CODES_OF_UNKNOWN_REASONS, codes=[*ERROR_CODES], reasons=unknown_reasons(), limit=limit)
    # The limit is that of all unknown reasons together.
    is_exact = sum(number for _, number, _ in unknown) < limit
    groups = [
        *(
            _group(Cause(reason=Reason[name]), number, since, models or (), is_exact=number < limit)
            for name, number, since, models in known
        ),
        *(
            _group(Cause(code=code or OTHER_CODE), number, since, (), is_exact=is_exact)
            for code, number, since in unknown
        ),
    ]
    return sorted(groups, key=lambda group: -group.count.number)


def _group(cause: Cause, number: int, since: datetime, models: Sequence[str], *, is_exact: bool) -> FailedGroup:
    count = Count(number) if is_exact else bounded_count(cause.items())
    return FailedGroup(reason=cause.reason, code=cause.code, count=count, since=since, models=models)


class CausesAdmin(ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    class Media:
        css: ClassVar = {"all": ("items/causes.css",)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.cause_view)
        return [
            *(
                path(f"causes/<str:name>/{action.value}/", view, {"action": action}, name=f"items_cause_{action.value}")
                for action in ACTIONS
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Begin the list of failed items with their reasons, unless it is filtered further."""
        is_overview = request.GET.dict() == OVERVIEW and self.has_view_permission(request)
        context = {
            "causes": read_groups() if is_overview else (),
            "cause_actions": {action.value: KEYS[action.value] for action in ACTIONS if may(request, action)},
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def cause_view(self, request: HttpRequest, name: str, action: Action) -> HttpResponse:
        """Act on all failed items with the cause on POST. On GET, ask before a discard."""
        if not (may(request, action) and self.has_view_permission(request)):
            raise PermissionDenied
        cause = Cause.named(name)
        if cause is None:
            raise Http404
        overview_url = reverse("admin:items_item_changelist", query=OVERVIEW)
        items = cause.items()
        if request.method == "POST":
            filters = urlencode({"_changelist_filters": urlencode(OVERVIEW)})
            change_and_report(request, action, partial(change_matching, items), filters=filters)
        elif action == Action.DISCARD:
            count = bounded_count(items)
            context = {
                **self.admin_site.each_context(request),
                "title": f"{action.label} {count.of_items}?",
                "subtitle": cause.reason.sentence if cause.reason else cause.label,
                "opts": self.opts,
                "action": action,
                **names_context(items, count),
                "covers_all_matching": True,
                # The shortcut of the row and Enter.
                "is_button_focused": True,
                "back_url": overview_url,
            }
            return TemplateResponse(request, "admin/items/item/confirm_action.html", context)
        return HttpResponseRedirect(overview_url)
