"""Where a person reviews items: what failed and why, what waits to be confirmed."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from items.admin import display
from items.admin.actions import confirm_selected, discard_selected, retry_selected
from items.admin.filters import AgeFilter, ErrorCodeFilter, OwnerFilter, StatusFilter
from items.admin.forms import DRAFT_FIELDS, ItemForm
from items.admin.review import ItemReviewAdmin
from items.models import EnrichmentAttempt, Item
from items.states import Action

QUEUE_FIELDS = ("attempt_count", "available_at", "claimed_by", "claimed_at", "fencing_token")
FILTERS = (StatusFilter, ErrorCodeFilter, AgeFilter, OwnerFilter)


class ItemChangeList(ChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Item]:
        """A page of the list leaves the long texts in the database, and fetches its attempts in one query."""
        numbers = Prefetch("attempts", EnrichmentAttempt.objects.only("item"))
        queryset = super().get_queryset(request, exclude_parameters)
        return queryset.defer("raw_text", "summary").prefetch_related(numbers)


@admin.register(Item)
class ItemAdmin(ItemReviewAdmin):
    list_display = ("headline", "status_badge", "error_code", "error_sentence", "owner_link", "age", "attempts_made")
    list_filter = FILTERS
    list_select_related = ("owner",)
    list_per_page = 50
    list_max_show_all = 200
    ordering = ("-created_at", "-id")
    sortable_by = ("age",)
    # What is searched stands in get_search_results; this makes the field for it appear.
    search_fields = ("title",)
    search_help_text = "Words of the title, the owner's name, or an id"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = (retry_selected, confirm_selected, discard_selected)  # type: ignore[assignment]  # they know more verbs
    form = ItemForm
    fieldsets: ClassVar = (
        (None, {"fields": ("status_badge", "enrichment_error", *DRAFT_FIELDS, "source_type", "folded_text")}),
        ("Origin", {"fields": ("id", "owner", "enrichment_mode", "created_at", "updated_at", "confirmed_at")}),
        ("Queue", {"fields": QUEUE_FIELDS, "classes": ("collapse",), "description": "What the workers go by."}),
    )

    class Media:
        css: ClassVar = {"all": ("items/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Items are captured through the API, where their owner is known."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        """Items are discarded, not deleted. They go for good only with their owner, on the page that deletes a user."""
        page = request.resolver_match.url_name if request.resolver_match else None
        return bool(page and page.startswith("auth_user_")) and super().has_delete_permission(request, obj)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters that the page offers: an address made by hand must not search the captured texts."""
        return lookup in {filter_class.parameter_name for filter_class in FILTERS}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ItemChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Item], search_term: str
    ) -> tuple[QuerySet[Item], bool]:
        """Owners are a subquery rather than a join, for the reason that OwnerFilter gives."""
        term = search_term.strip()
        if not term:
            return queryset, False
        owners = get_user_model().objects.filter(username__icontains=term)
        matches = Q(title__icontains=term) | Q(owner__in=owners.values("pk"))
        if ids := ids_starting_with(term):
            matches |= Q(pk__range=ids)
        return queryset.filter(matches), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = display.status_links(request.GET.get("status"))
        return super().changelist_view(request, {"title": "Items", "status_links": links, **(extra_context or {})})

    def get_fieldsets(self, request: HttpRequest, obj: Item | None = None) -> Any:
        first, *others = self.fieldsets
        if not self._is_editable(request, obj):
            return self.fieldsets
        name, options = first
        return [(name, {**options, "fields": (*options["fields"], "seen_at")}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Item | None = None) -> list[str]:
        shown = flatten_fieldsets(self.fieldsets)
        if self._is_editable(request, obj):
            return [field for field in shown if field not in DRAFT_FIELDS]
        return shown

    def _is_editable(self, request: HttpRequest, obj: Item | None) -> bool:
        return obj is not None and Action.EDIT in obj.allowed_actions and self.has_change_permission(request, obj)

    @admin.display(description="title")
    def headline(self, item: Item) -> SafeString:
        return display.headline(item)

    @admin.display(description="status")
    def status_badge(self, item: Item) -> SafeString:
        return display.badge(item.status)

    @admin.display(description="error code", empty_value="")
    def error_code(self, item: Item) -> str | None:
        return item.error_code

    @admin.display(description="error", empty_value="")
    def error_sentence(self, item: Item) -> str | None:
        return display.error_sentence(item)

    @admin.display(description="owner")
    def owner_link(self, item: Item) -> SafeString:
        return display.owner_link(item)

    @admin.display(description="captured", ordering="created_at")
    def age(self, item: Item) -> SafeString:
        return display.age(item.created_at)

    @admin.display(description="attempts")
    def attempts_made(self, item: Item) -> int:
        return len(item.attempts.all())

    @admin.display(description="text")
    def folded_text(self, item: Item) -> SafeString:
        return display.folded_text(item)


def ids_starting_with(term: str) -> tuple[UUID, UUID] | None:
    """The first and last id that start as the term does, if it could be an id: the list shows eight digits of it."""
    digits = term.replace("-", "").lower()
    if not 8 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004  # digits of an id
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
