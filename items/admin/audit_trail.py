"""The audit trail: who changed what, newest first. It cannot be changed here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from items.admin.changelist import BoundedPaginator
from items.admin.filters import ChoiceFilter, NameFilter
from items.audit import AuditAction
from items.models import AuditEvent


class ActionFilter(ChoiceFilter):
    title = "action"
    parameter_name = "action"
    is_counted = False

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return AuditAction.choices

    def narrow(self, queryset: Any, value: Any) -> Any:
        return queryset.filter(action=value)


class ActorFilter(NameFilter):
    title = "actor"
    parameter_name = "actor"

    def narrow(self, queryset: Any, name: str) -> Any:
        return queryset.filter(actor_name=name)


class AuditEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    """The search and each filter have an index in the order of the list."""

    list_display = ("at", "action", "object", "actor_name", "actor_id", "via", "credential", "request_id")
    list_display_links = None
    list_filter = (ActionFilter, ActorFilter)
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator
    sortable_by = ()
    search_fields = ("object_id__exact",)
    search_help_text = "The id of an item, a user or a token"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        """`manage.py purge` deletes old events."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in {each.parameter_name for each in self.list_filter}

    @admin.display(description="object")
    def object(self, event: AuditEvent) -> str:
        return f"{event.object_kind} {event.object_id}"
