"""What the search field of the list finds."""

from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q

from items.models import ItemQuerySet

NEWEST = 20_000
MOST_OWNERS = 100
HELP = f"An id, an owner's name, or words of a title, among the newest {NEWEST:,} that match the filter"


def find(items: ItemQuerySet, term: str) -> ItemQuerySet:
    """No index knows the middle of a title: one would cost at each claim, so the search goes back only so far."""
    if not term:
        return items
    if (ids := ids_starting_with(term)) and (found := items.filter(pk__range=ids)).exists():
        return found
    owners = get_user_model().objects.filter(username__icontains=term).values_list("pk", flat=True)
    # Looked up first, because a subquery would keep PostgreSQL from the index on the time.
    return _newest(items).filter(Q(title__icontains=term) | Q(owner__in=list(owners[:MOST_OWNERS])))


def ids_starting_with(term: str) -> tuple[UUID, UUID] | None:
    """The first and last id that start as the term does, if it could be an id: the list shows eight digits of it."""
    digits = term.replace("-", "").lower()
    if not 8 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004  # digits of an id
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _newest(items: ItemQuerySet) -> ItemQuerySet:
    times = items.order_by("-created_at", "-id").values_list("created_at", flat=True)
    oldest = times[NEWEST : NEWEST + 1].first()
    return items.filter(created_at__gt=oldest) if oldest else items
