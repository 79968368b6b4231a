"""The query parameters of lists, as strict as request bodies: an unknown filter is an error, not ignored."""

import re

from django.db.models import Q
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from items.api.fields import Choice, ErrorCode, Tag, Text, WholeNumber
from items.api.pagination import SEARCH_WINDOW_SIZE, CursorField, Page, SearchWindow
from items.api.serializers import StrictSerializer
from items.models import ItemQuerySet
from items.states import PENDING_STATUSES, SourceType, Status

SEARCH_MAX_LENGTH = 200


class PageParameters(StrictSerializer):
    """The parameters of all lists."""

    cursor = CursorField(required=False, help_text="From the previous page.")

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        """Filter the items of an owner."""
        raise NotImplementedError

    def page(self, items: ItemQuerySet) -> Page:
        """Return one page of the items of an owner."""
        cursor = self.validated_data.get("cursor")
        window = SearchWindow.of(items, cursor=cursor) if "q" in self.validated_data else None
        return Page.of(self.narrow(items), limit=self.validated_data["limit"], cursor=cursor, window=window)


class PendingParameters(PageParameters):
    limit = WholeNumber(default=100, min_value=1, max_value=100)
    status = Choice([status.value for status in PENDING_STATUSES], required=False)

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        status = self.validated_data.get("status")
        return items.filter(status=status) if status else items.pending()


class ListParameters(PageParameters):
    limit = WholeNumber(default=20, min_value=1, max_value=100)
    status = Choice([status.value for status in Status if status != Status.DISCARDED], required=False)
    tag = Tag(required=False, help_text="Items with this tag.")
    sourceType = Choice(SourceType.values, source="source_type", required=False)
    errorCode = ErrorCode(source="error_code", required=False, help_text="Items that failed with this code.")
    q = Text(
        required=False,
        max_length=SEARCH_MAX_LENGTH,
        help_text="Words in the title, the summary or the text. "
        f"One page searches at most {SEARCH_WINDOW_SIZE:,} items, so it may be empty although there is a next one.",
    )

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        wanted = self.validated_data
        if "status" in wanted:
            items = items.filter(status=wanted["status"])
        if "tag" in wanted:
            items = items.tagged(wanted["tag"])
        if "source_type" in wanted:
            items = items.filter(source_type=wanted["source_type"])
        if "error_code" in wanted:
            items = items.failed(error_code=wanted["error_code"])
        if "q" in wanted:
            items = items.filter(_contains(wanted["q"]))
        return items.not_discarded()


def _contains(words: str) -> Q:
    """Ignore case. The planner can estimate matches of `iregex`, but not of `icontains`. For common words it then reads
    the newest items until the page is full, instead of sorting all items.
    """
    literally = re.escape(words)
    return Q(title__iregex=literally) | Q(summary__iregex=literally) | Q(raw_text__iregex=literally)


def parameters(serializer: type[StrictSerializer], query: QueryDict) -> StrictSerializer:
    """Validate the parameters of a URL. An empty one counts as missing, because HTML forms send it.

    Raises ValidationError.
    """
    checked = serializer(data={name: value for name, value in query.items() if str(value).strip()})
    checked.is_valid(raise_exception=True)
    repeated = [name for name, values in query.lists() if len(values) > 1]
    if repeated:
        raise serializers.ValidationError(
            {name: [ErrorDetail("may be given once.", code="repeated")] for name in repeated}
        )
    return checked
