"""The list of items: its columns, the buttons of each row, and its pages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from items.admin.actions import (
    confirm_selected,
    discard_selected,
    redraft_selected,
    restore_selected,
    retry_selected,
)
from items.admin.filters import (
    SEARCH_HELP,
    AgeFilter,
    ErrorCodeFilter,
    ModelFilter,
    OwnerFilter,
    StatusFilter,
    search_items,
)
from items.admin.item_actions import BACK_TO_LIST
from items.admin.item_page import ItemPageAdmin
from items.admin.labels import KEYS, Count, short_id
from items.admin.permissions import permitted_actions
from items.admin.queries import COUNT_LIMIT, bounded_count
from items.admin.selection import CheckedSelectionAdmin
from items.admin.undo import UndoAdmin
from items.models import EnrichmentAttempt, Item, ItemQuerySet
from items.search import SEARCH_MAX_LENGTH, WORDS_MAX_COUNT, Search, SearchTooLong
from items.states import PENDING_STATUSES, Action, Status

TOO_LONG = f"A search may have at most {WORDS_MAX_COUNT} words and {SEARCH_MAX_LENGTH} characters."
REVERSIBLE = (Action.RETRY, Action.REDRAFT, Action.RESTORE)
FILTERS = (StatusFilter, ErrorCodeFilter, AgeFilter, ModelFilter, OwnerFilter)


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

    def get_results(self, request: HttpRequest) -> None:
        """Leave the long texts in the database, and count the attempts of the items shown."""
        super().get_results(request)
        last = EnrichmentAttempt.objects.filter(item=OuterRef("pk")).order_by("-number").values("number")[:1]
        self.result_list = self.result_list.defer("raw_text", "summary").annotate(attempts_number=Subquery(last))
        query = "&".join(filter(None, (urlencode(BACK_TO_LIST), self.model_admin.get_preserved_filters(request))))
        search = _search_of(self.query)
        for item in self.result_list:
            item.search = search
            # For row_buttons.
            item.permitted = permitted_actions(request, item)
            item.query = query


class ItemAdmin(UndoAdmin, CheckedSelectionAdmin, ItemPageAdmin):
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
    # Shows the search field. get_search_results decides what is searched.
    search_fields = ("title",)
    search_help_text = SEARCH_HELP
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = (retry_selected, confirm_selected, redraft_selected, discard_selected, restore_selected)

    class Media:
        css: ClassVar = {"all": ("items/admin.css", "web/keyboard.css")}
        js = ("items/preview.js", "items/counter.js", "web/keyboard.js")

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
        links = status_links(request.GET.get("status"))
        return super().changelist_view(request, {"title": "Items", "status_links": links, **(extra_context or {})})

    @admin.display(description="title")
    def headline(self, item: Any) -> SafeString:
        if item.title:
            return format_html("<bdi>{}</bdi>", item.search.marked(item.title))
        return format_html("Untitled <code>{}</code>", short_id(item))

    @admin.display(description="error code", empty_value="")
    def error_code(self, item: Item) -> str | None:
        return item.error_code

    @admin.display(description="error", empty_value="")
    def error_sentence(self, item: Item) -> str | None:
        return item.enrichment_error.partition(":")[2].strip() if item.enrichment_error else None

    @admin.display(description="owner")
    def owner_link(self, item: Item) -> SafeString:
        name = item.owner.get_username()
        return format_html('<a href="?{}" title="Items of this owner">{}</a>', urlencode({"owner": name}), name)

    @admin.display(description="captured", ordering="created_at")
    def age(self, item: Item) -> SafeString:
        captured_at = item.created_at
        is_new = timezone.now() - captured_at < timedelta(minutes=1)
        words = "just now" if is_new else f"{timesince(captured_at, depth=1)} ago"
        exact = f"{captured_at:%Y-%m-%d %H:%M:%S} UTC"
        return format_html('<time datetime="{}" title="{}">{}</time>', captured_at.isoformat(), exact, words)

    @admin.display(description="attempts")
    def attempts_made(self, item: Item) -> int:
        return item.attempts_number or 0  # type: ignore[attr-defined]  # an annotation

    @admin.display(description="review")
    def buttons(self, item: Item) -> SafeString:
        return row_buttons(item)


def _search_of(term: str) -> Search:
    try:
        return Search.of(term.strip())
    except SearchTooLong:
        return Search()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLink:
    status: Status
    count: Count
    is_current: bool


def status_links(current: str | None) -> list[StatusLink]:
    """Return the pending statuses with their counts, failed first."""
    return [
        StatusLink(status=status, count=bounded_count(Item.objects.filter(status=status)), is_current=current == status)
        for status in reversed(PENDING_STATUSES)
    ]


def row_buttons(item: Any) -> SafeString:
    """Return the links and buttons of a row. Each button submits the form of the list to a URL of its own."""
    name = item.title or short_id(item)
    links = [_row_link(item, "preview", "Preview", name)]
    if Action.CONFIRM in item.permitted:
        links.append(_row_button(item, Action.CONFIRM, name, seen=item.updated_at.isoformat()))
    links += [_row_button(item, action, name) for action in REVERSIBLE if action in item.permitted]
    if Action.DISCARD in item.permitted:
        links.append(_row_link(item, Action.DISCARD.value, "Discard…", name))
    return format_html_join("\n", "{}", ((link,) for link in links))


def _row_link(item: Any, action: str, label: str, name: str) -> SafeString:
    template = '<a class="item-row-action item-row-action-{}" href="{}" aria-label="{} {}" data-key="{}">{}</a>'
    return format_html(template, action, _row_url(item, action), label, name, KEYS[action], label)


def _row_button(item: Any, action: Action, name: str, **query: str) -> SafeString:
    template = (
        '<button type="submit" class="item-row-action" formaction="{}" aria-label="{} {}" data-key="{}">{}</button>'
    )
    url = _row_url(item, action.value, **query)
    return format_html(template, url, action.label, name, KEYS[action.value], action.label)


def _row_url(item: Any, action: str, **query: str) -> str:
    # Not reversed: to reverse four URLs for each row takes as long as the database.
    return f"{item.pk}/{action}/?{'&'.join(filter(None, (item.query, urlencode(query))))}"
