"""Pages of items, newest first, that neither repeat nor skip an item while others are captured."""

import base64
import re
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from items.api.fields import Sentences
from items.models import Item, ItemQuerySet

# The microseconds since 1970 and the id: the two columns that the pages are ordered by.
POSITION = struct.Struct(">q16s")
# Those 24 bytes in URL-safe base64. Its first two characters keep the time between 1970 and 9961.
CURSOR = re.compile(r"^A[A-Za-z0-3][A-Za-z0-9_-]{30}$", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        # The first condition is implied by the second, but only the first can be looked up in an index.
        return items.filter(created_at__lte=self.created_at).filter(
            Q(created_at__lt=self.created_at) | Q(id__lt=self.id)
        )


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
    def of(cls, items: ItemQuerySet, *, limit: int, cursor: Cursor | None) -> "Page":
        """One item more than asked for tells whether there is another page."""
        matching = cursor.after(items) if cursor else items
        found = list(matching.newest_first()[: limit + 1])
        shown = found[:limit]
        return cls(shown, Cursor(shown[-1].created_at, shown[-1].id) if len(found) > limit else None)

    @property
    def pagination(self) -> dict[str, object]:
        return {"cursor": str(self.cursor) if self.cursor else None, "hasMore": self.cursor is not None}
