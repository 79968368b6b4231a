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

from items.api.fields import Sentences
from items.models import Item, ItemQuerySet

# The microseconds since 1970 and the id: the two columns that the pages are ordered by.
POSITION = struct.Struct(">q16s")
# Those 24 bytes in URL-safe base64. Its first two characters keep the time between 1970 and 9961.
CURSOR = re.compile(r"^A[A-Za-z0-3][A-Za-z0-9_-]{30}$", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEARCHED = 10_000
"""One page of a search looks through so many of an owner's items. No index knows the middle of a text."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last item of the page before. It is no secret and gives no rights: the owner is checked without it."""

    created_at: datetime
    id: uuid.UUID

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError when the text did not come from here."""
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
class Reach:
    """How far back one page of a search looks."""

    last: Cursor
    beyond: Cursor

    @classmethod
    def of(cls, items: ItemQuerySet, *, cursor: Cursor | None) -> "Reach | None":
        """From the cursor on. None when the page looks at all that there are."""
        behind = cursor.after(items) if cursor else items
        ends = behind.newest_first().values_list("created_at", "id")[SEARCHED - 1 : SEARCHED + 1]
        found = [Cursor(*end) for end in ends]
        return cls(*found) if len(found) == len(cls.__slots__) else None

    def within(self, items: ItemQuerySet) -> ItemQuerySet:
        return items.newer_than(self.beyond.created_at, self.beyond.id)


@extend_schema_field({"type": "string", "pattern": CURSOR.pattern})
class CursorField(Sentences, serializers.Field[Cursor, str, str, Any]):
    """A cursor as an earlier page gave it."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "must be a cursor that an earlier page gave."}

    def to_internal_value(self, data: str) -> Cursor:
        try:
            return Cursor.parse(data)
        except ValueError:
            self.fail("invalid")


@dataclass(frozen=True, slots=True)
class Page:
    items: Sequence[Item]
    cursor: Cursor | None

    @classmethod
    def of(cls, items: ItemQuerySet, *, limit: int, cursor: Cursor | None, reach: Reach | None = None) -> "Page":
        """One item more than asked for tells whether there is another page. Beyond a reach there is one anyhow."""
        matching = cursor.after(items) if cursor else items
        found = list((reach.within(matching) if reach else matching).newest_first()[: limit + 1])
        shown = found[:limit]
        if len(found) > limit:
            return cls(shown, Cursor(shown[-1].created_at, shown[-1].id))
        return cls(shown, reach.last if reach else None)

    @property
    def pagination(self) -> dict[str, object]:
        return {"cursor": str(self.cursor) if self.cursor else None, "hasMore": self.cursor is not None}
