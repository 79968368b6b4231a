"""Pages of items, newest first, that neither repeat nor skip an item while others are captured."""

import base64
import re
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from items.api.fields import CommonMessages
from items.models import ItemQuerySet
from items.models.limits import IS_LONG
from items.texts import raw_text_max_length

# The microseconds since 1970 and the id: the two columns that the pages are ordered by.
POSITION = struct.Struct(">q16s")
# Those 24 bytes in URL-safe base64. Its first two characters keep the time between 1970 and 9961.
CURSOR = re.compile(r"^A[A-Za-z0-3][A-Za-z0-9_-]{30}$", re.ASCII)
# The number of items with the tag, and the key of the tag, also in base64.
COUNT = struct.Struct(">q")
TAG_CURSOR = re.compile(r"^AAAA(?:[A-Za-z0-9_-]{4}){2,300}(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEARCH_WINDOW_SIZE = 10_000
"""The number of items that one page of a search reads, because no index finds words within a text."""

SEARCH_WINDOW_CHARACTERS = 32_000_000
"""How much of long texts it reads. Without a limit, 10,000 of the longest would take minutes."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last item of the previous page. It is not secret and grants nothing: every query checks the owner."""

    created_at: datetime
    id: uuid.UUID

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError if the text is not a cursor."""
        if not CURSOR.fullmatch(text):
            raise ValueError("This is not a cursor.")
        microseconds, id_bytes = POSITION.unpack(base64.urlsafe_b64decode(text))
        return cls(EPOCH + timedelta(microseconds=microseconds), uuid.UUID(bytes=id_bytes))

    def __str__(self) -> str:
        microseconds = (self.created_at - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(POSITION.pack(microseconds, self.id.bytes)).decode()

    def after(self, items: ItemQuerySet) -> ItemQuerySet:
        return items.older_than(self.created_at, self.id)


@dataclass(frozen=True, slots=True)
class SearchWindow:
    """The items that one page of a search reads: up to `last`, and not those from `beyond` on."""

    last: Cursor
    beyond: Cursor

    @classmethod
    def of(cls, items: ItemQuerySet, *, cursor: Cursor | None) -> "SearchWindow | None":
        """Return the window after the cursor, or None if it would hold all remaining items."""
        remaining = cursor.after(items) if cursor else items
        long_texts = max(1, SEARCH_WINDOW_CHARACTERS // raw_text_max_length())
        ends = [*_nth(remaining, SEARCH_WINDOW_SIZE), *_nth(remaining.filter(IS_LONG), long_texts)]
        if not ends:
            return None
        last = max(ends, key=lambda end: (end.created_at, end.id))
        beyond = _nth(last.after(remaining), 1)
        return cls(last, beyond[0]) if beyond else None

    def within(self, items: ItemQuerySet) -> ItemQuerySet:
        return items.newer_than(self.beyond.created_at, self.beyond.id)


def _nth(items: ItemQuerySet, number: int) -> list[Cursor]:
    """Return the item at this place, the newest being 1, or nothing if there are fewer."""
    return [Cursor(*end) for end in items.newest_first().values_list("created_at", "id")[number - 1 : number]]


@extend_schema_field({"type": "string", "pattern": CURSOR.pattern})
class CursorField(CommonMessages, serializers.Field[Cursor, str, str, Any]):
    """The cursor of an earlier page."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "must be the cursor of an earlier page."}

    def to_internal_value(self, data: str) -> Cursor:
        try:
            return Cursor.parse(data)
        except ValueError:
            self.fail("invalid")


@dataclass(frozen=True, slots=True)
class TagCursor:
    """The last tag of the previous page."""

    count: int
    key: str

    @classmethod
    def parse(cls, text: str) -> "TagCursor":
        """Raises ValueError if the text is not a cursor."""
        if not TAG_CURSOR.fullmatch(text):
            raise ValueError("This is not a cursor.")
        decoded = base64.urlsafe_b64decode(text)
        (count,) = COUNT.unpack_from(decoded)
        key = decoded[COUNT.size :].decode()  # UnicodeDecodeError is a ValueError
        if count < 1 or "\x00" in key:
            raise ValueError("This is not a cursor.")
        return cls(count, key)

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(COUNT.pack(self.count) + self.key.encode()).decode()


@extend_schema_field({"type": "string", "pattern": TAG_CURSOR.pattern})
class TagCursorField(CursorField):
    """The cursor of an earlier page of tags."""

    def to_internal_value(self, data: str) -> Any:
        try:
            return TagCursor.parse(data)
        except ValueError:
            self.fail("invalid")


@dataclass(frozen=True, slots=True)
class Page:
    items: Sequence[Any]
    cursor: Cursor | None
    is_all: bool = False
    """Whether there are no other items on any page."""

    @classmethod
    def read(cls, items: ItemQuerySet, *, limit: int, cursor: Cursor | None, window: SearchWindow | None) -> "Page":
        """Fetch one more item than the limit, to know whether there is a next page. After a window there always is."""
        matching = cursor.after(items) if cursor else items
        found = list((window.within(matching) if window else matching).newest_first()[: limit + 1])
        return cls.of(found, limit=limit, cursor=cursor, window=window)

    @classmethod
    def of(
        cls, found: Sequence[Any], *, limit: int, cursor: Cursor | None, window: SearchWindow | None = None
    ) -> "Page":
        shown = found[:limit]
        if len(found) > limit:
            return cls(shown, Cursor(shown[-1].created_at, shown[-1].id))
        return cls(shown, window.last if window else None, is_all=cursor is None and window is None)

    @property
    def pagination(self) -> dict[str, object]:
        return {"cursor": str(self.cursor) if self.cursor else None, "hasMore": self.cursor is not None}
