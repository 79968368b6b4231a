"""What may stand behind the question mark of a URL.

The same strict serializers as for request bodies, so that a mistake in a filter is refused with its name
rather than answered with items that nobody asked for.
"""

import re

from django.db.models import Q
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from items.api.fields import Choice, ErrorCode, Tag, Text, Whole
from items.api.pagination import SEARCHED, CursorField, Page, Reach
from items.api.serializers import StrictSerializer
from items.models import ItemQuerySet
from items.states import PENDING_STATUSES, SourceType, Status

SEARCH_MAX_LENGTH = 200


class PageParameters(StrictSerializer):
    """Which page, and how long."""

    cursor = CursorField(required=False, help_text="From the page before.")

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        """Those of an owner's items that are asked for, on whichever page."""
        raise NotImplementedError

    def page(self, items: ItemQuerySet) -> Page:
        """Of an owner's items."""
        cursor = self.validated_data.get("cursor")
        reach = Reach.of(items, cursor=cursor) if "q" in self.validated_data else None
        return Page.of(self.narrow(items), limit=self.validated_data["limit"], cursor=cursor, reach=reach)


class PendingParameters(PageParameters):
    limit = Whole(default=100, min_value=1, max_value=100)
    status = Choice([status.value for status in PENDING_STATUSES], required=False)

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        status = self.validated_data.get("status")
        return items.filter(status=status) if status else items.pending()


class ListParameters(PageParameters):
    limit = Whole(default=20, min_value=1, max_value=100)
    status = Choice([status.value for status in Status if status != Status.DISCARDED], required=False)
    tag = Tag(required=False, help_text="Items that have this tag.")
    sourceType = Choice(SourceType.values, source="source_type", required=False)
    errorCode = ErrorCode(source="error_code", required=False, help_text="Items that failed with this code.")
    q = Text(
        required=False,
        max_length=SEARCH_MAX_LENGTH,
        help_text="Words in the title, the summary or the text. "
        f"One page looks through {SEARCHED:,} items at most, so that it may be short, or empty, with more behind it.",
    )

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        wanted = self.validated_data
        if "status" in wanted:
            items = items.filter(status=wanted["status"])
        if "tag" in wanted:
            items = items.filter(tags__contains=[wanted["tag"]])
        if "source_type" in wanted:
            items = items.filter(source_type=wanted["source_type"])
        if "error_code" in wanted:
            items = items.failed(error_code=wanted["error_code"])
        if "q" in wanted:
            items = items.filter(_mentions(wanted["q"]))
        return items.kept()


def _mentions(words: str) -> Q:
    """In any case. Unlike `icontains`, the planner can guess how common the words are: for common ones it reads the
    newest items until the page is full, rather than all items to sort them.
    """
    literally = re.escape(words)
    return Q(title__iregex=literally) | Q(summary__iregex=literally) | Q(raw_text__iregex=literally)


def parameters(kind: type[StrictSerializer], query: QueryDict) -> StrictSerializer:
    """Read the parameters of a URL. One that is empty counts as not given, as HTML forms send it.

    Raises ValidationError.
    """
    checked = kind(data={name: value for name, value in query.items() if str(value).strip()})
    checked.is_valid(raise_exception=True)
    repeated = [name for name, values in query.lists() if len(values) > 1]
    if repeated:
        raise serializers.ValidationError(
            {name: [ErrorDetail("may be given once.", code="repeated")] for name in repeated}
        )
    return checked
