"""The list of items: its filters, order and pages, and the actions on it."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django.contrib.admin.options import IS_FACETS_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from items.admin.actions import (
    confirm_selected,
    discard_selected,
    redraft_selected,
    restore_selected,
    retry_selected,
)
from items.admin.causes import CausesAdmin
from items.admin.downloads import DOWNLOAD_LIMIT, FORMATS, download
from items.admin.filters import (
    SEARCH_HELP,
    AgeFilter,
    ErrorCodeFilter,
    ErrorReasonFilter,
    ModelFilter,
    OwnerFilter,
    StatusFilter,
    search_items,
)
from items.admin.item_actions import BACK_TO_LIST
from items.admin.item_page import ItemPageAdmin
from items.admin.labels import Count
from items.admin.queries import COUNT_LIMIT, bounded_count
from items.admin.rows import Rows
from items.admin.saved_views import saved_views
from items.admin.selection import CheckedSelectionAdmin
from items.admin.tagging import edit_tags_of_selected
from items.admin.undo import UndoAdmin
from items.models import EnrichmentAttempt, Item, ItemQuerySet
from items.pauses import staff_pause
from items.search import SEARCH_MAX_LENGTH, WORDS_MAX_COUNT, Search, SearchTooLong

TOO_LONG = f"A search may have at most {WORDS_MAX_COUNT} words and {SEARCH_MAX_LENGTH} characters."
FILTERS = (StatusFilter, ErrorCodeFilter, ErrorReasonFilter, AgeFilter, ModelFilter, OwnerFilter)

NEWEST_FIRST, OLDEST_FIRST = ("-created_at", "-id"), ("created_at", "id")
OLDEST = "oldest"
"""The value of Django's parameter for the order. Any other means the newest first."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    """Page through the first COUNT_LIMIT items only: a page costs as much as all pages before it."""

    object_list: QuerySet[Item]

    @cached_property
    def matching(self) -> Count:
        """All items that match, on the pages or not."""
        return bounded_count(self.object_list)

    @cached_property
    def count(self) -> int:
        return min(self.matching.number, COUNT_LIMIT)


class ItemChangeList(ChangeList):
    result_list: Any

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Item]) -> tuple[str, ...]:  # type: ignore[override]  # Django's is a list
        """Leave only the two orders that an index serves."""
        return OLDEST_FIRST if self.is_oldest_first else NEWEST_FIRST

    def get_results(self, request: HttpRequest) -> None:
        """Leave the long texts in the database, and count the attempts of the items shown."""
        if getattr(request, "shows_no_list", False):
            return
        super().get_results(request)
        last = EnrichmentAttempt.objects.filter(item=OuterRef("pk")).order_by("-number").values("number")[:1]
        self.result_list = self.result_list.defer("raw_text", "summary").annotate(attempts_number=Subquery(last))
        filters = self.model_admin.get_preserved_filters(request)
        back = "&".join(filter(None, (urlencode(BACK_TO_LIST), filters)))
        self._rows = Rows(
            request,
            _search_of(self.query),
            back=back,
            filters=filters,
            is_selectable=bool(self.model_admin.get_actions(request)),
        )

    def rows(self) -> Iterator[SafeString]:
        return self._rows.render(self.result_list)

    @property
    def is_oldest_first(self) -> bool:
        return bool(self.params.get(ORDER_VAR) == OLDEST)

    @property
    def other_order(self) -> str:
        """The query that reverses the order."""
        if self.is_oldest_first:
            return self.get_query_string(remove=[ORDER_VAR, PAGE_VAR])
        return self.get_query_string({ORDER_VAR: OLDEST}, remove=[PAGE_VAR])

    @property
    def downloaded_first(self) -> Count | None:
        """How many of the items a file has, if it has not all."""
        return Count(DOWNLOAD_LIMIT) if self.paginator.matching.number > DOWNLOAD_LIMIT else None

    @property
    def download_query(self) -> str:
        return self.get_query_string(remove=[PAGE_VAR, ALL_VAR, IS_FACETS_VAR])


class ItemAdmin(CausesAdmin, UndoAdmin, CheckedSelectionAdmin, ItemPageAdmin):
    list_filter = FILTERS
    list_select_related = ("owner",)
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator
    ordering = NEWEST_FIRST
    # Shows the search field. get_search_results decides what is searched.
    search_fields = ("title",)
    search_help_text = SEARCH_HELP
    show_full_result_count = False
    actions = (
        retry_selected,
        confirm_selected,
        redraft_selected,
        discard_selected,
        restore_selected,
        edit_tags_of_selected,
    )

    class Media:
        css: ClassVar = {"all": ("web/keyboard.css",)}
        js = ("items/preview.js", "items/counter.js", "web/keyboard.js")

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view(self.download_view)
        return [path("download/<str:name>/", guarded, name="items_item_download"), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the filters that the page offers: a made-up URL must not search the captured texts."""
        return lookup in {filter_class.parameter_name for filter_class in FILTERS}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ItemChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[ItemQuerySet, bool]:
        try:
            return search_items(queryset, search_term.strip()), False
        except SearchTooLong:
            self.message_user(request, TOO_LONG, "error")
            return queryset.none(), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "title": "Items",
            "views": saved_views(request, oldest_first=OLDEST),
            "formats": FORMATS.values(),
            "pause": staff_pause(),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def download_view(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Send what the filters of the list match."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if name not in FORMATS:
            raise Http404
        try:
            changelist = cast(ItemChangeList, self.get_changelist_instance(request))
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self.list_url(request))
        return download(
            changelist.queryset, FORMATS[name], is_oldest_first=changelist.is_oldest_first, by=request.user.pk
        )


def _search_of(term: str) -> Search:
    try:
        return Search.of(term.strip())
    except SearchTooLong:
        return Search()
