"""Items as `manage.py items` shows them: lines for people, and the names of the API for programs."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from items.api.etags import detail_of
from items.api.serializers import ItemSerializer
from items.management.terminal import in_columns, printable
from items.models import Item

HEADINGS = ("ID", "STATUS", "CAPTURED (UTC)", "OWNER", "ERROR OR TITLE")
INDENT = "    "
TEXTS = {"rawText", "rawTextIsCut"}


def list_lines(items: Sequence[Item], encoding: str) -> Iterator[str]:
    """Yield one line for each item. The title is last, because some terminals draw wide characters in other widths."""
    yield from in_columns([HEADINGS, *map(_row, items)], encoding)


def list_record(item: Item) -> dict[str, Any]:
    """Return what the lists of the API have, and the owner, without the text, which may be long."""
    item.raw_text = ""  # not selected
    shown = {name: value for name, value in ItemSerializer(item).data.items() if name not in TEXTS}
    return {"id": shown.pop("id"), "owner": item.owner.get_username(), **shown}


def detail_record(item: Item) -> dict[str, Any]:
    """Return what GET /items/{id} responds with, and the owner."""
    detail, _ = detail_of(item)
    return {"id": detail.pop("id"), "owner": item.owner.get_username(), **detail}


def detail_lines(item: Item, encoding: str) -> Iterator[str]:
    shown = detail_record(item)
    attempts, usage, text = shown.pop("attempts"), shown.pop("usage"), shown.pop("rawText")
    del shown["rawTextIsCut"]
    shown |= {"cost": None if usage["costUsd"] is None else f"${usage['costUsd']}"}
    fields = [(name, _text(value)) for name, value in shown.items() if value not in (None, [])]
    yield from in_columns(fields, encoding)
    if attempts:
        yield "attempts"
        columns = ("number", "finishedAt", "outcome", "errorCode", "model")
        rows = [[_text(attempt[name]) for name in columns] for attempt in attempts]
        yield from (INDENT + line for line in in_columns(rows, encoding))
    yield "text"
    yield from (INDENT + printable(line, encoding) for line in text.split("\n"))


def _row(item: Item) -> tuple[str, ...]:
    text = item.enrichment_error or item.title or ""
    return (str(item.pk), item.status, _moment(item.created_at), item.owner.get_username(), text)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
