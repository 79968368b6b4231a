"""Read all items of an owner from the database, and write files that are never incomplete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from django.db import reset_queries

from items.models import Item, ItemQuerySet
from items.models.limits import RAW_TEXT_BYTES
from items.transfer import markdown
from items.transfer.batches import batched
from items.transfer.records import ItemRecord

PAGE_SIZE = 1000


def read_items(owner: Any) -> Iterator[ItemRecord]:
    """Yield the owner's items, oldest first, each once and as it is when its batch is read.

    A cursor in the database would not work behind a pooler, and would hold back vacuum for as long as it is open.
    """
    items = Item.objects.owned_by(owner).order_by("created_at", "id")
    page = _page(items)
    while page:
        for batch in batched(page, bytes_of=lambda key: key.bytes):
            yield from map(ItemRecord.from_item, items.filter(pk__in=[key.id for key in batch]))
            # With LITEVAULT_DEBUG, Django remembers every query.
            reset_queries()
        page = _page(items.newer_than(page[-1].created_at, page[-1].id))


class Key(NamedTuple):
    """The place of an item in the order of the export, and the size of its text."""

    created_at: datetime
    id: UUID
    bytes: int


def _page(items: ItemQuerySet) -> list[Key]:
    return [Key(*row) for row in items.values_list("created_at", "id", RAW_TEXT_BYTES)[:PAGE_SIZE]]


@contextmanager
def atomic_file(path: Path, *, fsync: bool = True) -> Iterator[BinaryIO]:
    """Open a file that gets its name only when it is complete, and that only its owner may read.

    The left-over of an export that was killed is deleted. If anything has the same name after that, such as a link that
    another account puts there, the export fails.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode=0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if fsync:
                os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_markdown(folder: Path, record: ItemRecord) -> None:
    """Write one item to a file, which replaces the file of an earlier export."""
    path = folder / markdown.path_for(record)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_file(path, fsync=False) as file:
        file.write(markdown.dump(record))
