"""The options of `manage.py items` that choose items."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.utils import timezone

from items.management.arguments import whole_number
from items.models import Item, ItemQuerySet
from items.reasons import Reason
from items.states import Status
from items.suggestions import did_you_mean
from items.transfer.owners import get_owner

LONGEST_AGE = timedelta(days=3650)
FILTERS = ("status", "code", "reason", "owner", "before")
RECENT_FAILURES = 1000
"""Error codes are suggested from the latest failed items."""


def add_ids(parser: ArgumentParser, *, nargs: str = "*") -> None:
    parser.add_argument("ids", nargs=nargs, type=item_id, metavar="ID", help="the id of an item")


def add_filters(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--status", type=one_of(Status, "status"), metavar="STATUS", help=f"only items that are {', '.join(Status)}"
    )
    parser.add_argument(
        "--code", type=not_blank, metavar="CODE", help="only failed items with this error code, like LLM_TIMEOUT"
    )
    parser.add_argument(
        "--reason",
        type=one_of(Reason, "reason"),
        metavar="REASON",
        help="only failed items with this reason of the error, like TIMED_OUT",
    )
    parser.add_argument("--owner", metavar="NAME", help="only items of this user")
    parser.add_argument(
        "--before",
        type=moment,
        metavar="TIME",
        help="only items captured before this time: an age like 7d or 12h, or a date or time in UTC like 2026-11-30 "
        "or 2026-11-30T08:00",
    )


def add_limit(parser: ArgumentParser, *, default: int | None, most: int, help: str) -> None:  # noqa: A002  # argparse's
    parser.add_argument("--limit", type=whole_number(1, most), default=default, metavar="N", help=help)


def has_filters(options: dict[str, Any]) -> bool:
    return any(options[name] is not None for name in FILTERS)


def matching(options: dict[str, Any]) -> ItemQuerySet:
    """Return the items with the ids, if there are any, that match all filters. Raises CommandError."""
    items: ItemQuerySet = Item.objects.all()
    if options["ids"]:
        items = items.filter(pk__in=options["ids"])
    if options["status"]:
        items = items.filter(status=options["status"])
    if options["code"] or options["reason"]:
        items = items.failed(error_code=options["code"], error_reason=options["reason"])
    if options["owner"] is not None:
        items = items.owned_by(get_owner(options["owner"]))
    if options["before"]:
        items = items.filter(created_at__lt=options["before"])
    return items


def oldest(items: ItemQuerySet, limit: int | None) -> ItemQuerySet:
    """Filter the oldest items. A slice could not be filtered further."""
    ordered = items.order_by("created_at", "id").values_list("created_at", "id")
    following = ordered[limit : limit + 1].first() if limit else None
    return items.older_than(*following) if following else items


def advice_for_none(options: dict[str, Any]) -> str:
    """Return a suggestion for an error code that matches nothing, or ""."""
    if not options["code"]:
        return ""
    errors = Item.objects.failed().newest_first().values_list("enrichment_error", flat=True)
    codes = {error.partition(":")[0] for error in islice(errors[:RECENT_FAILURES], RECENT_FAILURES)}
    return "" if options["code"] in codes else did_you_mean(options["code"], codes)


def not_blank(text: str) -> str:
    """Refuse the empty variable of a script, which would not filter."""
    if not text.strip():
        raise ArgumentTypeError("may not be blank")
    return text


def item_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError("an id is a UUID, as manage.py items list shows it") from None


def one_of(names: type[Status | Reason], what: str) -> Callable[[str], str]:
    """Return an argument type that accepts the names in any case, with - or _, and suggests similar ones."""

    def parse(text: str) -> str:
        name = text.upper().replace("-", "_")
        try:
            return names[name]
        except KeyError:
            raise ArgumentTypeError(
                f"the {what} is unknown.{did_you_mean(name, names)} Known: {', '.join(names)}"
            ) from None

    return parse


def moment(text: str) -> datetime:
    if text[-1:] in {"d", "h"}:
        return timezone.now() - age(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("must be an age like 7d, or a date or time like 2026-11-30T08:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def age(text: str) -> timedelta:
    """Parse 30d or 12h."""
    found = re.fullmatch(r"([1-9]\d{0,5})([dh])", text)
    length = timedelta(**{"days" if found[2] == "d" else "hours": int(found[1])}) if found else None
    if length is None or length > LONGEST_AGE:
        raise ArgumentTypeError(f"must be a number of days or hours, like 30d or 12h, up to {LONGEST_AGE.days}d")
    return length
