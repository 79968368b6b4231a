"""Hours and days that are over are read once and remembered: hardly anything in them changes any more."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

LATE = timedelta(minutes=10)
"""A verdict may be written so long after its attempt, because the database was away."""

REMEMBERED_SECONDS = 26 * 60 * 60


def remembered(
    periods: Sequence[datetime],
    read: Callable[[Sequence[datetime]], Mapping[datetime, Any]],
    *,
    length: timedelta,
) -> list[Any]:
    """What `read` says of each period, which it is asked only for those that are not remembered."""
    keys = {period: f"items.overview.{length // timedelta(hours=1)}h.{period:%Y%m%d%H}" for period in periods}
    known = cache.get_many(keys.values())
    read_now = read([period for period in periods if keys[period] not in known])
    over = timezone.now() - length - LATE
    cache.set_many({keys[period]: said for period, said in read_now.items() if period < over}, REMEMBERED_SECONDS)
    return [known[keys[period]] if keys[period] in known else read_now[period] for period in periods]
