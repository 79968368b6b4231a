"""Hours and days that are over are read once and remembered: hardly anything in them changes any more.

The database remembers them for all web processes together. What is read is a row of plain values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.utils import timezone

from items.models.period import Period

VERSION = 1
"""Of what the rows hold. Whoever changes that counts it up, so that nobody reads the rows of another."""

FORGOTTEN_AFTER = timedelta(days=40)

Row: TypeAlias = Sequence[Any]


def remembered(
    starts: Sequence[datetime],
    read: Callable[[Sequence[datetime]], Mapping[datetime, Row]],
    *,
    length: timedelta,
) -> dict[datetime, Row]:
    """What `read` says of each period, which it is asked only for those that are not remembered."""
    names = {start: f"{VERSION}.{length // timedelta(hours=1)}h.{start:%Y%m%d%H}" for start in starts}
    known = dict(Period.objects.filter(name__in=names.values()).values_list("name", "said"))
    read_now = read([start for start in starts if names[start] not in known])
    # A verdict may be written long after its attempt, because the database was away.
    over = timezone.now() - 2 * length
    _remember(Period(name=names[start], start=start, said=said) for start, said in read_now.items() if start < over)
    return {start: known[names[start]] if names[start] in known else read_now[start] for start in starts}


def _remember(periods: Iterable[Period]) -> None:
    """Another process may have been faster, with the same."""
    if Period.objects.bulk_create(periods, ignore_conflicts=True):
        Period.objects.filter(start__lt=timezone.now() - FORGOTTEN_AFTER).delete()
