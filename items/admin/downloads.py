"""The items of a filtered list as a file, for spreadsheets (CSV) or programs (JSON Lines). Texts are left out."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import structlog
from django.db import reset_queries
from django.http import StreamingHttpResponse

from items.models import ItemQuerySet

DOWNLOAD_LIMIT = 100_000
"""Items in one file. `manage.py export_items` writes all items of an owner, with their texts."""

PAGE_SIZE = 500
"""Items in memory at once."""

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "id",
        "owner": "owner__username",
        "status": "status",
        "error": "enrichment_error",
        "title": "title",
        "summary": "summary",
        "tags": "tags",
        "sourceType": "source_type",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "confirmedAt": "confirmed_at",
    }
)
# A spreadsheet takes a cell that starts with one of these for a formula, also in the width of East Asian letters.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
QUOTE = "'"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    name: str
    label: str
    content_type: str
    header: str
    line: Callable[[Mapping[str, Any]], str]


class _Line:
    """A file for csv.writer, which returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv_line(values: list[Any]) -> str:
    # The writer returns what `write` returns.
    return str(csv.writer(_Line()).writerow([harmless(_cell(value)) for value in values]))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return ", ".join(value) if isinstance(value, list) else str(value)


def harmless(cell: str) -> str:
    """Keep a spreadsheet from calculating a cell: it shows a cell that starts with an apostrophe as text."""
    return f"{QUOTE}{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _json_line(row: Mapping[str, Any]) -> str:
    plain = {name: value if isinstance(value, list) or value is None else _cell(value) for name, value in row.items()}
    return f"{json.dumps(plain, ensure_ascii=False)}\n"


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format(
            name="csv",
            label="CSV",
            content_type="text/csv; charset=utf-8",
            # Without the mark, Excel does not read UTF-8.
            header="\ufeff" + _csv_line(list(COLUMNS)),
            line=lambda row: _csv_line(list(row.values())),
        ),
        "jsonl": Format(
            name="jsonl",
            label="JSON Lines",
            content_type="application/jsonl; charset=utf-8",
            header="",
            line=_json_line,
        ),
    }
)


def download(items: ItemQuerySet, file: Format, *, is_oldest_first: bool, by: object) -> StreamingHttpResponse:
    """Stream the items in the order of the list."""
    response = StreamingHttpResponse(
        _lines(items, file, is_oldest_first=is_oldest_first, by=by), content_type=file.content_type
    )
    response["Content-Disposition"] = f'attachment; filename="items-{datetime.now(UTC):%Y-%m-%d-%H%M}.{file.name}"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(items: ItemQuerySet, file: Format, *, is_oldest_first: bool, by: object) -> Iterator[str]:
    sent = 0
    log.info("download.started", format=file.name, by=by)
    try:
        yield file.header
        for page in _pages(items, is_oldest_first=is_oldest_first):
            sent += len(page)
            yield "".join(map(file.line, page))
    finally:
        # Also after the client has gone.
        log.info("download.finished", format=file.name, by=by, items=sent)


def _pages(items: ItemQuerySet, *, is_oldest_first: bool) -> Iterator[list[dict[str, Any]]]:
    """Yield pages until DOWNLOAD_LIMIT, each in a statement of its own, so that no statement is long."""
    names = tuple(COLUMNS)
    rows: Any = items.values_list(*COLUMNS.values())
    after = rows
    for _ in range(DOWNLOAD_LIMIT // PAGE_SIZE):
        page = [dict(zip(names, row, strict=True)) for row in after[:PAGE_SIZE]]
        if page:
            yield page
        if len(page) < PAGE_SIZE:
            return
        last = (page[-1]["createdAt"], page[-1]["id"])
        after = rows.newer_than(*last) if is_oldest_first else rows.older_than(*last)
        # With LITEVAULT_DEBUG, Django remembers every query.
        reset_queries()
