"""How an item looks in the admin. The captured text appears only folded, on the detail page."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from items.admin.counting import Count, counted
from items.models import Item
from items.states import PENDING_STATUSES, Status


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
    count: Count
    is_current: bool


def status_links(current: str | None) -> list[StatusLink]:
    """The pending statuses with their counts, failed first: the strip above the list."""
    return [
        StatusLink(status=status, count=counted(Item.objects.filter(status=status)), is_current=current == status)
        for status in reversed(PENDING_STATUSES)
    ]
