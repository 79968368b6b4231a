"""How an item and its history look in the admin. The captured text appears only folded, on the detail page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from items.models import EnrichmentAttempt, Item
from items.states import PENDING_STATUSES, Status
from items.usage import Usage

MOST_TO_COUNT = 10_000


def badge(status: str) -> SafeString:
    return format_html('<span class="item-status item-{}">{}</span>', status.lower(), Status(status).label)


def headline(item: Item) -> SafeString:
    if item.title:
        return format_html("<bdi>{}</bdi>", item.title)
    return format_html("Untitled <code>{}</code>", str(item.pk)[:8])


def error_sentence(item: Item) -> str | None:
    return item.enrichment_error.partition(":")[2].strip() if item.enrichment_error else None


def owner_link(item: Item) -> SafeString:
    name = item.owner.get_username()
    return format_html('<a href="?{}" title="Items of this owner">{}</a>', urlencode({"owner": name}), name)


def age(moment: datetime) -> SafeString:
    seconds = (timezone.now() - moment).total_seconds()
    words = f"{timesince(moment, depth=1)} ago" if seconds >= 60 else "just now"  # noqa: PLR2004  # a minute
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, words)


def folded_text(item: Item) -> SafeString:
    """The text behind a click. The line break after <pre> is not shown, and saves one at the start of the text."""
    return format_html(
        '<details class="item-text"><summary>Show the captured text ({} characters)</summary>'
        '<pre dir="auto">\n{}</pre></details>',
        f"{len(item.raw_text):,}",
        item.raw_text,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLink:
    status: Status
    count: str
    is_current: bool


def status_links(current: str | None) -> list[StatusLink]:
    """The pending statuses with their counts, failed first: the strip above the list."""
    return [
        StatusLink(status=status, count=bounded_count(status), is_current=current == status)
        for status in reversed(PENDING_STATUSES)
    ]


def bounded_count(status: Status) -> str:
    """Count as far as it matters: nobody reads a backlog to the last item, and the page must stay quick."""
    count = Item.objects.filter(status=status)[: MOST_TO_COUNT + 1].count()
    return f"{count:,}" if count <= MOST_TO_COUNT else f"{MOST_TO_COUNT:,}+"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every attempt at an item, and what they took together."""

    attempts: Sequence[EnrichmentAttempt]

    @property
    def duration_ms(self) -> int:
        return sum(attempt.duration_ms for attempt in self.attempts)

    @property
    def usage(self) -> Usage:
        return Usage.of(self.attempts)


def history(item: Item) -> History:
    return History(attempts=list(item.attempts.order_by("number")))
