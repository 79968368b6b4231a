"""The filters beside the list of items. None of them reads more of the table than it shows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from items.models import EnrichmentAttempt, Item, ItemQuerySet
from items.states import Status

PENDING = "PENDING"
ERROR_CODES = ("LLM_TIMEOUT", "LLM_VALIDATION_ERROR", "LLM_API_ERROR", "ENRICHMENT_ABANDONED")
AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
OLDER = "older"

# Those that are common, as the planner knows them, and those that came up since it last looked.
MODELS = """
SELECT unnest(most_common_vals::text::text[]) FROM pg_stats
WHERE schemaname = current_schema() AND tablename = 'enrichment_attempts' AND attname = 'model'
UNION
SELECT model FROM (SELECT model FROM enrichment_attempts ORDER BY finished_at DESC LIMIT 1000) recent
WHERE model IS NOT NULL
ORDER BY 1
"""


class ChoiceFilter(admin.SimpleListFilter):
    """A filter that takes only the values it offers: an address made by hand filters nothing and breaks nothing."""

    def value(self) -> str | None:
        value = super().value()
        return value if value in dict(self.lookup_choices) else None


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(PENDING, "Pending: asks for attention"), *Status.choices]

    def queryset(self, request: HttpRequest, queryset: ItemQuerySet) -> ItemQuerySet:  # type: ignore[override]  # of items
        if self.value() == PENDING:
            return queryset.pending()
        return queryset.filter(status=self.value()) if self.value() else queryset


class ErrorCodeFilter(ChoiceFilter):
    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in ERROR_CODES]

    def queryset(self, request: HttpRequest, queryset: ItemQuerySet) -> ItemQuerySet:  # type: ignore[override]  # of items
        return queryset.failed(error_code=self.value()) if self.value() else queryset


class AgeFilter(ChoiceFilter):
    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(age, f"Last {age}") for age in AGES] + [(OLDER, "Older than a week")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        age = self.value()
        if age is None:
            return queryset
        if age == OLDER:
            return queryset.filter(created_at__lt=timezone.now() - AGES["week"])
        return queryset.filter(created_at__gte=timezone.now() - AGES[age])


class ModelFilter(ChoiceFilter):
    """Any attempt counts, not only the last one."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(MODELS)
            return [(model, model) for (model,) in cursor.fetchall()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        attempts = EnrichmentAttempt.objects.filter(item=OuterRef("pk"), model=self.value())
        return queryset.filter(Exists(attempts)) if self.value() else queryset


class OwnerFilter(admin.SimpleListFilter):
    """A field for the owner's name: a list of ten thousand names helps nobody."""

    title = "owner"
    parameter_name = "owner"
    template = "admin/items/item/owner_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[()]:
        return ()

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # for our template
        yield {
            "owner": self.value() or "",
            "other_parameters": [(name, value) for name, value in changelist.params.items() if name != "owner"],
            "without_owner": changelist.get_query_string(remove=["owner"]),
        }

    def queryset(self, request: HttpRequest, queryset: ItemQuerySet) -> ItemQuerySet:  # type: ignore[override]  # of items
        name = (self.value() or "").strip()
        if not name:
            return queryset
        owner = owner_named(name)
        return queryset.owned_by(owner) if owner else queryset.none()


def owner_named(name: str) -> object | None:
    """Looked up before the items, because a join would keep PostgreSQL from the index that starts with the owner."""
    return None if "\x00" in name else get_user_model().objects.filter(username=name).first()
