"""The query parameters of lists, as strict as request bodies: an unknown filter is an error, not ignored."""

from functools import lru_cache
from typing import Any, cast

from django.db.models import Func, IntegerField
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from items.api.fields import Choice, ErrorCode, ErrorReason, Tag, Text, WholeNumber
from items.api.listed_texts import named, without_long_texts
from items.api.pagination import CursorField, Page, SearchWindow, TagCursorField
from items.api.serializers import StrictSerializer
from items.models import Item, ItemQuerySet
from items.search import SEARCH_MAX_LENGTH, WORDS_MAX_COUNT, Search, SearchTooLong
from items.states import PENDING_STATUSES, SourceType, Status
from items.texts import TAG_MAX_LENGTH, without_unseen
from postgres.django.compiled import CompiledQuery, Parameter

IGNORE = "ignore"

QUERIES_KEPT = 32
"""Clients use few sizes of a page."""


class SearchParameters(StrictSerializer):
    """The words of a search."""

    q = Text(
        required=False,
        max_length=SEARCH_MAX_LENGTH,
        help_text="Words in the title, the summary, the text or the tags, in any order and case: "
        f"at most {WORDS_MAX_COUNT}. Words in double quotes are found together.",
    )
    accents = Choice([IGNORE], required=False, help_text="Find letters with other accents, too.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            search = Search.of(attrs.get("q", ""), ignores_accents=attrs.get("accents") == IGNORE)
        except SearchTooLong:
            sentence = f"may have at most {WORDS_MAX_COUNT} words, or phrases in double quotes."
            raise serializers.ValidationError({"q": [ErrorDetail(sentence, code="max_words")]}) from None
        return {**attrs, "search": search}


class PageParameters(StrictSerializer):
    """The parameters of all lists."""

    cursor = CursorField(required=False, help_text="From the previous page.")

    def page(self, owner: Any) -> Page:
        """Return one page of the items of an owner."""
        raise NotImplementedError


class TagParameters(StrictSerializer):
    cursor = TagCursorField(required=False, help_text="From the previous page.")
    limit = WholeNumber(default=100, min_value=1, max_value=1000)
    q = Text(required=False, max_length=TAG_MAX_LENGTH, help_text="The beginning of the tags.")


class PendingParameters(PageParameters):
    limit = WholeNumber(default=100, min_value=1, max_value=100)
    status = Choice([status.value for status in PENDING_STATUSES], required=False)

    def page(self, owner: Any) -> Page:
        limit, cursor = self.validated_data["limit"], self.validated_data.get("cursor")
        query = _page_of_pending(self.validated_data.get("status"), limit, is_first=cursor is None)
        position = {"created_at": cursor.created_at, "id": cursor.id} if cursor else {}
        return Page.of(named(query.rows(owner=owner.pk, **position)), limit=limit, cursor=cursor)

    def total(self, owner: Any) -> int:
        """Return the number of the items on all pages."""
        ((total,),) = _total_of_pending(self.validated_data.get("status")).rows(owner=owner.pk)
        return int(total)


@lru_cache(maxsize=QUERIES_KEPT)
def _page_of_pending(status: str | None, limit: int, *, is_first: bool) -> CompiledQuery:
    def page() -> ItemQuerySet:
        items = without_long_texts(_pending(status))
        following = items if is_first else items.older_than(Parameter("created_at"), Parameter("id"))
        return following.newest_first()[: limit + 1]

    return CompiledQuery(page)


@lru_cache(maxsize=QUERIES_KEPT)
def _total_of_pending(status: str | None) -> CompiledQuery:
    # Not an aggregate, which Django would group.
    return CompiledQuery(lambda: _pending(status).values_list(Func(template="count(*)", output_field=IntegerField())))


def _pending(status: str | None) -> ItemQuerySet:
    items = Item.objects.owned_by(Parameter("owner"))
    return cast(ItemQuerySet, items.filter(status=status) if status else items.pending())


class ListParameters(SearchParameters, PageParameters):
    limit = WholeNumber(default=20, min_value=1, max_value=100)
    status = Choice(Status.values, required=False)
    tag = Tag(required=False, help_text="Items with this tag.")
    sourceType = Choice(SourceType.values, source="source_type", required=False)
    errorCode = ErrorCode(source="error_code", required=False, help_text="Items that failed with this code.")
    errorReason = ErrorReason(source="error_reason", required=False, help_text="Items that failed for this reason.")

    def page(self, owner: Any) -> Page:
        limit, cursor, search = (self.validated_data.get(name) for name in ("limit", "cursor", "search"))
        items = Item.objects.owned_by(owner)
        window = SearchWindow.of(items, cursor=cursor) if search.words else None
        matching = without_long_texts(self._narrow(items))
        return Page.read(matching, limit=limit, cursor=cursor, window=window)

    def _narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        wanted = self.validated_data
        items = items.filter(status=wanted["status"]) if "status" in wanted else items.not_discarded()
        if "tag" in wanted:
            items = items.tagged(wanted["tag"])
        if "source_type" in wanted:
            items = items.filter(source_type=wanted["source_type"])
        if "error_code" in wanted or "error_reason" in wanted:
            items = items.failed(error_code=wanted.get("error_code"), error_reason=wanted.get("error_reason"))
        search: Search = wanted["search"]
        return search.narrow(items)


def parameters(serializer: type[StrictSerializer], query: QueryDict) -> StrictSerializer:
    """Validate the parameters of a URL. An empty one counts as missing, because HTML forms send it.

    Raises ValidationError.
    """
    checked = serializer(data={name: value for name, value in query.items() if without_unseen(str(value)).strip()})
    checked.is_valid(raise_exception=True)
    repeated = [name for name, values in query.lists() if len(values) > 1]
    if repeated:
        raise serializers.ValidationError(
            {name: [ErrorDetail("may be given once.", code="repeated")] for name in repeated}
        )
    return checked
