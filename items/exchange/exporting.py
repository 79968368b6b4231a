"""Out of the database: all items of an owner, oldest first, a page at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.db import reset_queries
from django.db.models import Q

from items.exchange import markdown
from items.exchange.record import ItemRecord
from items.models import Item

PAGE_SIZE = 1000


def records_of(owner: Any) -> Iterator[ItemRecord]:
    """Every item that is there from the beginning to the end, once, each as it is when its page is read.

    By pages, because behind a pooler there are no cursors in the database, and a cursor that stays open for hours
    keeps it from tidying up.
    """
    items = Item.objects.owned_by(owner).order_by("created_at", "id")
    page = list(items[:PAGE_SIZE])
    while page:
        for item in page:
            yield ItemRecord.of(item)
        # With LITEVAULT_DEBUG, Django remembers every query.
        reset_queries()
        last = page[-1]
        # The first condition is implied by the second, but only the first can be looked up in an index.
        later = Q(created_at__gt=last.created_at) | Q(id__gt=last.id)
        page = list(items.filter(created_at__gte=last.created_at).filter(later)[:PAGE_SIZE])


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that has its name only when it is complete, and that only its owner may read."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_file(folder: Path, record: ItemRecord) -> None:
    """One item as Markdown, in place of what an earlier export wrote of it."""
    path = folder / markdown.path_of(record)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.touch(mode=0o600)
    partial.write_bytes(markdown.file_of(record))
    partial.replace(path)
