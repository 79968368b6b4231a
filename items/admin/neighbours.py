"""Where an item stands in the list that the reviewer came from: its position, and the items before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet

from items.admin.labels import Count
from items.admin.queries import COUNT_LIMIT, bounded_count
from items.models import Item

NEWEST_FIRST = ("-created_at", "-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """`position` counts from 1. It is None if the item is not in the list, or comes after COUNT_LIMIT others."""

    previous: UUID | None
    next: UUID | None
    position: int | None
    total: Count

    @classmethod
    def of(cls, item: Item, items: QuerySet[Item]) -> Self:
        before = _beside(item, items, is_before=True)
        number_before = before[: COUNT_LIMIT + 1].count()
        is_listed = number_before <= COUNT_LIMIT and items.filter(pk=item.pk).exists()
        return cls(
            previous=_first(before),
            next=next_after(item, items),
            position=number_before + 1 if is_listed else None,
            total=bounded_count(items),
        )


def next_after(item: Item, items: QuerySet[Item]) -> UUID | None:
    """Return the id of the first item after this one, which need not be in the list itself."""
    return _first(_beside(item, items, is_before=False))


def _first(items: QuerySet[Item]) -> UUID | None:
    return items.values_list("pk", flat=True).first()


def _beside(item: Item, items: QuerySet[Item], *, is_before: bool) -> QuerySet[Item]:
    """Filter what comes after an item, or before it and then with the nearest first."""
    order = [_reversed(each) if is_before else each for each in _order_of(items)]
    condition = Q()
    equal: dict[str, object] = {}
    for each in order:
        name, lookup = _lookup(each)
        value = getattr(item, name)
        condition |= Q(**equal, **{f"{name}__{lookup}": value})
        equal[name] = value
    # This follows from the others, but only this can be looked up in an index.
    name, lookup = _lookup(order[0])
    return items.filter(condition, **{f"{name}__{lookup}e": getattr(item, name)}).order_by(*order)


def _order_of(items: QuerySet[Item]) -> Sequence[str]:
    """Return the fields that the list is sorted by, or the usual ones if it is not sorted by columns without NULL."""
    order = [each for each in items.query.order_by if isinstance(each, str)]
    is_simple = len(order) == len(items.query.order_by) and all(map(_is_always_set, order))
    return order if order and is_simple else NEWEST_FIRST


def _is_always_set(order: str) -> bool:
    name, _ = _lookup(order)
    try:
        return name == "pk" or not Item._meta.get_field(name).null
    except FieldDoesNotExist:
        return False


def _lookup(order: str) -> tuple[str, str]:
    return (order[1:], "lt") if order.startswith("-") else (order, "gt")


def _reversed(order: str) -> str:
    return order[1:] if order.startswith("-") else f"-{order}"
