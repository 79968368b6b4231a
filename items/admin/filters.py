"""Filters and search of the list of items. None of them reads much more of the table than it shows."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone

from items.admin.queries import bounded_count, fetch_all, unknown_reasons
from items.models import EnrichmentAttempt, Item, ItemQuerySet
from items.reasons import ERROR_CODES, Reason
from items.search import Search
from items.states import Status

PENDING = "PENDING"
NO_REASON = "NONE"
"""Items without a reason that this version knows: plain SQL or another version failed them."""
OTHER_CODE = "OTHER"
"""Items with a code that is none of ERROR_CODES."""
UNKNOWN_VALUE = "unknown value"

AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
OLDER = "older"

SEARCH_LIMIT = 20_000
SEARCH_HELP = (
    "Search by id, by exact username, or by words in the title or username of the newest "
    f"{SEARCH_LIMIT:,} matching items"
)

# Common models from the planner's statistics, and models that are newer than the statistics.
MODELS = """
SELECT unnest(most_common_vals::text::text[]) FROM pg_stats
WHERE schemaname = current_schema() AND tablename = 'enrichment_attempts' AND attname = 'model'
UNION
SELECT model FROM (SELECT model FROM enrichment_attempts ORDER BY finished_at DESC LIMIT 1000) recent
WHERE model IS NOT NULL
ORDER BY 1
"""


class ChoiceFilter(admin.SimpleListFilter):
    """A menu above the list, with the number of items beside each choice if the page is asked for them."""

    is_counted = True

    @property
    def chosen(self) -> str | None:
        """What the closed menu says, or None if the filter is not used."""
        if self.is_refused:
            return UNKNOWN_VALUE
        return next((str(label) for value, label in self.lookup_choices if value == self.value()), None)

    @property
    def is_refused(self) -> bool:
        """Whether the URL has a value that the filter does not offer. Then no item matches."""
        return super().value() not in (None, "", *dict(self.lookup_choices))

    def has_output(self) -> bool:
        return super().has_output() or self.is_refused

    def value(self) -> str | None:
        value = super().value()
        return value if value in dict(self.lookup_choices) else None

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # with counts
        parameter = str(self.parameter_name)
        others = changelist.get_query_string(remove=[parameter, PAGE_VAR])
        items: Any = None
        if self.is_counted and changelist.add_facets:
            items = changelist.get_queryset(self.request, exclude_parameters=[parameter])
        yield {
            "display": "All",
            "selected": self.chosen is None,
            "query_string": others,
            "count": "" if items is None else bounded_count(items),
        }
        for value, label in self.lookup_choices:
            yield {
                "display": label,
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({parameter: value}, remove=[PAGE_VAR]),
                "count": "" if items is None else bounded_count(self.narrow(items, value)),
            }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.is_refused:
            return queryset.none()
        return self.narrow(queryset, self.value()) if self.value() else queryset

    def narrow(self, queryset: Any, value: Any) -> Any:
        """Filter by one of the values that the filter offers."""
        raise NotImplementedError


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(PENDING, "Pending: needs attention"), *Status.choices]

    def narrow(self, queryset: Any, value: Any) -> Any:
        return queryset.pending() if value == PENDING else queryset.filter(status=value)


class ErrorCodeFilter(ChoiceFilter):
    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((code, code) for code in ERROR_CODES), (OTHER_CODE, "Others")]

    def narrow(self, queryset: Any, value: Any) -> Any:
        return failed_with(queryset, value)


class ErrorReasonFilter(ChoiceFilter):
    title = "error reason"
    parameter_name = "error_reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((reason.value, reason.label) for reason in Reason), (NO_REASON, "Unknown")]

    def narrow(self, queryset: Any, value: Any) -> Any:
        return failed_because(queryset, value)


def failed_with(items: ItemQuerySet, code: str) -> ItemQuerySet:
    if code != OTHER_CODE:
        return items.failed(error_code=code)
    known = (Q(enrichment_error__startswith=f"{each}:") for each in ERROR_CODES)
    return items.failed().filter(~reduce(or_, known))


def failed_because(items: ItemQuerySet, reason: str) -> ItemQuerySet:
    if reason != NO_REASON:
        return items.failed(error_reason=reason)
    has_none = Q(error_reason=None)
    unknown = unknown_reasons()
    return items.failed().filter(has_none | Q(error_reason__in=unknown) if unknown else has_none)


class AgeFilter(ChoiceFilter):
    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(age, f"Last {age}") for age in AGES] + [(OLDER, "Older than a week")]

    def narrow(self, queryset: Any, value: Any) -> Any:
        if value == OLDER:
            return queryset.filter(created_at__lt=timezone.now() - AGES["week"])
        return queryset.filter(created_at__gte=timezone.now() - AGES[value])


class ModelFilter(ChoiceFilter):
    """Match items by any of their attempts, not only the last one."""

    title = "model"
    parameter_name = "model"
    # No index finds the items of a model.
    is_counted = False

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(model, model) for (model,) in fetch_all(MODELS)]

    def narrow(self, queryset: Any, value: Any) -> Any:
        return queryset.filter(Exists(EnrichmentAttempt.objects.filter(item=OuterRef("pk"), model=value)))


class NameFilter(admin.SimpleListFilter):
    """A field for the name of a user, because a list would not scale."""

    template = "admin/items/item/name_filter.html"

    @property
    def chosen(self) -> str | None:
        return self.value()

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[()]:
        return ()

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # for our template
        parameter = str(self.parameter_name)
        yield {
            "parameter": parameter,
            "name": self.value() or "",
            "other_parameters": [
                (name, value) for name, value in changelist.params.items() if name not in (parameter, PAGE_VAR)
            ],
            "without_name": changelist.get_query_string(remove=[parameter, PAGE_VAR]),
        }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        name = (self.value() or "").strip()
        if not name:
            return queryset
        return queryset.none() if "\x00" in name else self.narrow(queryset, name)

    def narrow(self, queryset: Any, name: str) -> Any:
        raise NotImplementedError


class OwnerFilter(NameFilter):
    title = "owner"
    parameter_name = "owner"

    def narrow(self, queryset: Any, name: str) -> Any:
        owner = owner_named(name)
        return queryset.owned_by(owner) if owner else queryset.none()


def owner_named(name: str) -> object | None:
    """Look the owner up first: with a join, PostgreSQL would not use the index that starts with the owner."""
    return None if "\x00" in name else get_user_model().objects.filter(username=name).first()


def search_items(items: ItemQuerySet, term: str) -> ItemQuerySet:
    """Look up an id or a full username at any age, and search for the words only if the term is neither.

    Raises SearchTooLong.
    """
    if not term:
        return items
    if (ids := _ids_starting_with(term)) and (found := items.filter(pk__range=ids)).exists():
        return found
    if (owner := owner_named(term)) and _has_items(owner):
        return items.owned_by(owner)
    return _containing(items, Search.of(term))


def _ids_starting_with(term: str) -> tuple[UUID, UUID] | None:
    """Return the first and last possible id. The list shows eight digits of an id, so fewer are not one."""
    digits = term.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{8,32}", digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _has_items(owner: object) -> bool:
    """Ignore the filters: after an action left none that match, the search must not find items of other owners.

    Without an order, PostgreSQL may scan the table from its start until it finds the owner.
    """
    return Item.objects.owned_by(owner).newest_first().only("pk").first() is not None


def _containing(items: ItemQuerySet, search: Search) -> ItemQuerySet:
    """Search the newest items without an index: an index on substrings would slow down every claim."""
    items = _newest(items)
    for pattern in search.patterns:
        owners = get_user_model().objects.filter(username__regex=pattern)
        items = items.filter(Q(title__regex=pattern) | Q(owner__in=owners))
    return items


def _newest(items: ItemQuerySet) -> ItemQuerySet:
    times = items.order_by("-created_at", "-id").values_list("created_at", flat=True)
    oldest = times[SEARCH_LIMIT : SEARCH_LIMIT + 1].first()
    return items.filter(created_at__gt=oldest) if oldest else items
