"""The texts in lists, where a long text is cut."""

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.db.models import Case, When
from django.db.models.functions import Left
from django.db.models.lookups import LessThanOrEqual

from items.api.serializers import ItemSerializer
from items.models import Item, ItemQuerySet
from items.models.limits import RAW_TEXT_BYTES
from items.states import allowed_actions
from items.texts import LISTED_TEXT_MAX_LENGTH, beginning

# A long text is not read here: a query that sorts would read those of all items that match, not only of the page. The
# number of bytes is known without reading it.
SHORT_TEXT = Case(When(LessThanOrEqual(RAW_TEXT_BYTES, LISTED_TEXT_MAX_LENGTH), then="raw_text"))
UNSEEN = ("redrafted_from", "short_text")
COMPUTED = ("raw_text", "raw_text_is_cut", "allowed_actions")


def without_long_texts(items: ItemQuerySet) -> ItemQuerySet:
    """Select what lists show, except long texts."""
    listed = items.annotate(short_text=SHORT_TEXT)
    return cast(ItemQuerySet, listed.values_list(*_columns(), *UNSEEN, named=True))


def named(rows: Sequence[Any]) -> list[Any]:
    """Return rows of a compiled query as those of the queryset."""
    return list(map(_read_item()._make, rows))


def _columns() -> list[str]:
    return [source for source in ItemSerializer.sources() if source not in COMPUTED]


@cache
def _read_item() -> Any:
    return namedtuple("ReadItem", (*_columns(), *UNSEEN))  # noqa: PYI024  # as below


@cache
def _listed_item() -> Callable[..., tuple[Any, ...]]:
    return namedtuple("ListedItem", (*_columns(), *COMPUTED))  # noqa: PYI024  # its fields are those of the serializer


def with_long_texts(rows: Sequence[Any]) -> Iterator[Any]:
    """Read the beginnings of the long texts. Leave out items that were deleted meanwhile."""
    listed = _listed_item()
    beginnings = _beginnings([row.id for row in rows if row.short_text is None])
    for row in rows:
        text = beginnings.get(row.id) if row.short_text is None else row.short_text
        if text is not None:
            shown = beginning(text, LISTED_TEXT_MAX_LENGTH)
            actions = allowed_actions(row.status, mode=row.enrichment_mode, redrafted_from=row.redrafted_from)
            yield listed(*row[:-2], shown, len(text) > LISTED_TEXT_MAX_LENGTH, actions)


def _beginnings(ids: Sequence[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    return dict(Item.objects.filter(pk__in=ids).values_list("pk", Left("raw_text", LISTED_TEXT_MAX_LENGTH + 1)))
