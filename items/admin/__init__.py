"""Where a person reviews items: what failed and why, what waits to be confirmed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from items.admin import display, rows
from items.admin.actions import confirm_selected, discard_selected, retry_selected
from items.admin.changelist import ItemChangeList
from items.admin.counting import BoundedPaginator
from items.admin.filters import AgeFilter, ErrorCodeFilter, ModelFilter, OwnerFilter, StatusFilter
from items.admin.review import ItemReviewAdmin
from items.admin.search import HELP, find
from items.models import Item, ItemQuerySet

FILTERS = (StatusFilter, ErrorCodeFilter, AgeFilter, ModelFilter, OwnerFilter)


@admin.register(Item)
class ItemAdmin(ItemReviewAdmin):
    list_display = (
        "headline",
        "status_badge",
        "error_code",
        "error_sentence",
        "owner_link",
        "age",
        "attempts_made",
        "buttons",
    )
    list_filter = FILTERS
    list_select_related = ("owner",)
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    sortable_by = ("age",)
    # What is searched stands in items.admin.search; this makes the field for it appear.
    search_fields = ("title",)
    search_help_text = HELP
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = (retry_selected, confirm_selected, discard_selected)  # type: ignore[assignment]  # they know more verbs

    class Media:
        css: ClassVar = {"all": ("items/admin.css",)}
        js = ("items/preview.js",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters that the page offers: an address made by hand must not search the captured texts."""
        return lookup in {filter_class.parameter_name for filter_class in FILTERS}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ItemChangeList

    def get_search_results(  # type: ignore[override]  # of items
        self, request: HttpRequest, queryset: ItemQuerySet, search_term: str
    ) -> tuple[ItemQuerySet, bool]:
        return find(queryset, search_term.strip()), False

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        try:
            return super().response_action(request, queryset, *args, **kwargs)
        except ValidationError:
            self.message_user(request, "That is not the id of an item. Nothing was changed.", "error")
            return None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = display.status_links(request.GET.get("status"))
        return super().changelist_view(request, {"title": "Items", "status_links": links, **(extra_context or {})})

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

    @admin.display(description="review")
    def buttons(self, item: Item) -> SafeString:
        return rows.buttons(item)
