"""Into the database: records from files, a batch at a time, each item once."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.db import DataError, IntegrityError, connection, transaction
from psycopg import sql

from items.capturing.sources import STANDARD_INPUT, Refused, Skipped, paths_in, reason_of, shown
from items.exchange import json_lines, markdown
from items.exchange.record import InvalidRecord, ItemRecord
from items.models import Item

BATCH_SIZE = 500
SUFFIXES = (markdown.SUFFIX, json_lines.SUFFIX)
FOREIGN = "id: belongs to an item of another owner"


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and where it stood."""

    origin: str
    record: ItemRecord


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of a batch."""

    imported: int
    already_there: int
    refused: list[Refused]


def records_from(names: Sequence[str], *, on_read: Callable[[int], object]) -> Iterator[Found | Refused]:
    """All records of the files, of the folders' files that end in .md or .jsonl, and of standard input.

    `on_read` is told how many bytes have been read since it was told last.
    """
    for name in names:
        if name == STANDARD_INPUT:
            yield from _records_of_lines(sys.stdin.buffer, "standard input", on_read)
        elif Path(name).is_dir():
            for path in paths_in(name):
                if isinstance(path, Refused):
                    yield path
                elif not isinstance(path, Skipped) and path.endswith(SUFFIXES):
                    yield from _records_of_file(path, on_read)
        else:
            yield from _records_of_file(name, on_read)


def _records_of_file(path: str, on_read: Callable[[int], object]) -> Iterator[Found | Refused]:
    origin = shown(path)
    try:
        with Path(path).open("rb") as file:
            if path.endswith(markdown.SUFFIX):
                content = file.read(markdown.FILE_MAX_BYTES + 1)
                on_read(len(content))
                yield _record_of_markdown(content, origin)
            else:
                yield from _records_of_lines(file, origin, on_read)
    except OSError as error:
        yield Refused(origin, reason_of(error))


def _record_of_markdown(content: bytes, origin: str) -> Found | Refused:
    try:
        return Found(origin, markdown.read(content))
    except markdown.InvalidFile as error:
        return Refused(f"{origin}, line {error.line}", str(error))


def _records_of_lines(stream: BinaryIO, origin: str, on_read: Callable[[int], object]) -> Iterator[Found | Refused]:
    for number, line in json_lines.lines_of(stream):
        place = f"{origin}, line {number:,}"
        on_read(json_lines.LINE_MAX_BYTES if line is None else len(line))
        if line is None:
            yield Refused(place, "is too long to be an item")
            continue
        try:
            yield Found(place, ItemRecord.read(line))
        except InvalidRecord as error:
            yield Refused(place, str(error))


def batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    found = iter(found)
    while batch := list(islice(found, BATCH_SIZE)):
        yield batch


def store(batch: Sequence[Found], *, owner: Any) -> Stored:
    """Insert those that are not there yet, in one transaction. What is there stays as it is."""
    ids = {found.record.id for found in batch}
    owners = dict(Item.objects.filter(id__in=ids).values_list("id", "owner_id"))
    foreign = [found for found in batch if owners.get(found.record.id, owner.pk) != owner.pk]
    new = {found.record.id: found for found in reversed(batch) if found.record.id not in owners}
    not_taken = _take(list(new.values()), owner=owner)
    return Stored(
        imported=len(new) - len(not_taken),
        already_there=len(batch) - len(foreign) - len(new),
        refused=[*(Refused(found.origin, FOREIGN) for found in foreign), *not_taken],
    )


def _take(batch: Sequence[Found], *, owner: Any) -> list[Refused]:
    """All at once where nothing is wrong, which is four times as fast. Those that the database does not take."""
    try:
        with transaction.atomic(), connection.wrap_database_errors:
            _copy(batch, owner=owner)
    except (IntegrityError, DataError):
        return _insert(batch, owner=owner)
    return []


def _copy(batch: Sequence[Found], *, owner: Any) -> None:
    """What a record does not say the database knows by itself, for every item."""
    fields = list(ItemRecord.model_fields)
    columns = sql.SQL(", ").join(map(sql.Identifier, [*fields, "owner_id"]))
    command = sql.SQL("COPY items ({}) FROM STDIN").format(columns)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for found in batch:
            copy.write_row([*(getattr(found.record, name) for name in fields), owner.pk])


def _insert(batch: Sequence[Found], *, owner: Any) -> list[Refused]:
    """Those that the database does not take."""
    items = [found.record.item(owner) for found in batch]
    try:
        with transaction.atomic():
            # Somebody else may import the same at this moment.
            Item.objects.bulk_create(items, ignore_conflicts=True)
    except (IntegrityError, DataError):
        if len(batch) == 1:
            return [Refused(batch[0].origin, "the database does not take it")]
        return [refused for found in batch for refused in _insert([found], owner=owner)]
    return []
