"""Pocket's export: CSV, or HTML before 2025."""

import csv
import io
from collections.abc import Iterator

from items.transfer.formats import bookmarks
from items.transfer.formats.entry import Entry, ForeignFile, Found, NotAnExport, Omitted, link_text
from items.transfer.sources import Refused


def read(file: ForeignFile) -> Iterator[Found]:
    if file.text.lstrip().startswith("<"):
        return bookmarks.read(file)
    return _read_rows(file.text)


def _read_rows(text: str) -> Iterator[Found]:
    # Strict, so that a quotation mark without its end does not hide the following rows.
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
    except csv.Error:
        header = []
    if "url" not in header:
        raise NotAnExport("has no column url")
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            last = rows.line_num
            yield Refused(f"line {line:,}" if line == last else f"lines {line:,} to {last:,}", "not CSV")
            continue
        if row:
            yield from _read_row(header, row, place=f"line {line:,}")


def _read_row(header: list[str], row: list[str], *, place: str) -> Iterator[Found]:
    if len(row) != len(header):
        yield Refused(place, f"has {len(row):,} columns instead of {len(header):,}")
        return
    fields = dict(zip(header, row, strict=True))
    if not (url := fields["url"].strip()):
        yield Refused(place, "a link without an address")
        return
    yield Omitted("marks as read", int(fields.get("status") == "archive"))
    title = fields.get("title", "")
    yield Entry(
        place=place,
        title=title,
        raw_text=link_text(title, url),
        tags=fields.get("tags", "").split("|"),
        created_at=fields.get("time_added"),
        is_article=True,
    )
