"""What the search field of the list finds."""

from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q

from items.admin.filters import owner_named
from items.models import Item, ItemQuerySet

NEWEST = 20_000
HELP = f"An id, an owner's whole name, or a part of a name or title among the newest {NEWEST:,} that match the filter"


def find(items: ItemQuerySet, term: str) -> ItemQuerySet:
    """Ids and whole names are looked up, however old the items are. Only what is neither is looked for in titles."""
    if not term:
        return items
    if (ids := ids_starting_with(term)) and (found := items.filter(pk__range=ids)).exists():
        return found
    if (owner := owner_named(term)) and _has_items(owner):
        return items.owned_by(owner)
    return _containing(items, term)


def ids_starting_with(term: str) -> tuple[UUID, UUID] | None:
    """The first and last id that start as the term does, if it could be an id: the list shows eight digits of it."""
    digits = term.replace("-", "").lower()
    if not 8 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004  # digits of an id
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _has_items(owner: object) -> bool:
    """Of any status, filtered or not: an action that leaves none to act on must not make the search find others.

    In their order, because without one PostgreSQL may read the table from its start until it meets the owner.
    """
    return Item.objects.owned_by(owner).newest_first().only("pk").first() is not None


def _containing(items: ItemQuerySet, term: str) -> ItemQuerySet:
    """No index knows the middle of a title: one would cost at each claim, so the search goes back only so far."""
    owners = get_user_model().objects.filter(username__icontains=term)
    return _newest(items).filter(Q(title__icontains=term) | Q(owner__in=owners))


def _newest(items: ItemQuerySet) -> ItemQuerySet:
    times = items.order_by("-created_at", "-id").values_list("created_at", flat=True)
    oldest = times[NEWEST : NEWEST + 1].first()
    return items.filter(created_at__gt=oldest) if oldest else items
