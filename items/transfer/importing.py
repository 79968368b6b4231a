"""Read records from files, and store each item once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Any, BinaryIO

from django.db import Error, connection, reset_queries, transaction
from psycopg import sql

from items.models import Item
from items.texts import tag_keys
from items.transfer import json_lines, markdown
from items.transfer.batches import batched
from items.transfer.formats.entry import Omitted
from items.transfer.records import InvalidRecord, ItemRecord
from items.transfer.sources import (
    Refusals,
    Refused,
    Skipped,
    is_folder,
    open_source,
    origin_of,
    paths_in,
    reason_of,
)
from postgres.sqlstates import refuses_data

SUFFIXES = (markdown.SUFFIX, json_lines.SUFFIX)
FOREIGN = "id: belongs to an item of another owner"


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record and its place."""

    origin: str
    record: ItemRecord


@dataclass(slots=True)
class ImportSummary:
    imported: int = 0
    known: int = 0
    refusals: Refusals = field(default_factory=Refusals)
    omitted: Counter[str] = field(default_factory=Counter)

    def accept(self, found: Iterable[FoundRecord | Refused | Omitted]) -> Iterator[FoundRecord]:
        """Yield the records, and count the others."""
        for entry in found:
            match entry:
                case FoundRecord():
                    yield entry
                case Refused():
                    self.refusals.add(entry)
                case Omitted(kind, count):
                    self.omitted[kind] += count

    def record(self) -> dict[str, Any]:
        return {
            "imported": self.imported,
            "known": self.known,
            "refused": self.refusals.record(),
            "omitted": dict(self.omitted),
        }

    def lines(self, *, owner: str) -> Iterator[str]:
        yield f"Imported {self.imported:,} for {owner}."
        if self.known:
            yield f"{self.known:,} existed already and were not changed."
        if self.refusals.count:
            yield f"Refused {self.refusals.count:,}."
            yield from self.refusals.lines()
        if omitted := +self.omitted:
            yield f"Not imported: {', '.join(f'{kind} ({count:,})' for kind, count in omitted.most_common())}."


def read_records(names: Sequence[str], *, on_read: Callable[[int], object]) -> Iterator[FoundRecord | Refused]:
    """Yield the records of files, of the .md and .jsonl files in folders, and of `-` for standard input.

    `on_read` is called with the number of bytes read since its last call.
    """
    for name in names:
        if not is_folder(name):
            yield from _records_of_file(name, on_read)
            continue
        for path in paths_in(name):
            if isinstance(path, Refused):
                yield path
            elif not isinstance(path, Skipped) and path.endswith(SUFFIXES):
                yield from _records_of_file(path, on_read)


def _records_of_file(name: str, on_read: Callable[[int], object]) -> Iterator[FoundRecord | Refused]:
    origin = origin_of(name)
    try:
        with open_source(name) as file:
            if name.endswith(markdown.SUFFIX):
                content = file.read(markdown.file_max_bytes() + 1)
                on_read(len(content))
                yield _record_of_markdown(content, origin)
            else:
                yield from _records_of_lines(file, origin, on_read)
    except OSError as error:
        yield Refused(origin, reason_of(error))


def _record_of_markdown(content: bytes, origin: str) -> FoundRecord | Refused:
    try:
        return FoundRecord(origin, markdown.parse(content))
    except markdown.InvalidFile as error:
        return Refused(f"{origin}, line {error.line}", str(error))


def _records_of_lines(
    stream: BinaryIO, origin: str, on_read: Callable[[int], object]
) -> Iterator[FoundRecord | Refused]:
    for number, line in json_lines.read_lines(stream):
        place = f"{origin}, line {number:,}"
        on_read(json_lines.line_max_bytes() if line is None else len(line))
        if line is None:
            yield Refused(place, "is too long to be an item")
            continue
        try:
            yield FoundRecord(place, ItemRecord.parse(line))
        except InvalidRecord as error:
            yield Refused(place, str(error))


def import_records(found: Iterable[FoundRecord | Refused | Omitted], summary: ImportSummary, *, owner: Any) -> None:
    """Store the records in batches, each in one transaction."""
    accepted = summary.accept(found)
    for batch in batched(accepted, bytes_of=lambda found: getsizeof(found.record.raw_text)):
        # With LITEVAULT_DEBUG, Django remembers every query, and these contain whole files.
        reset_queries()
        _store(batch, summary, owner=owner)


def _store(batch: Sequence[FoundRecord], summary: ImportSummary, *, owner: Any) -> None:
    """Insert the new items. Existing ones are not changed."""
    owners = dict(Item.objects.filter(id__in={found.record.id for found in batch}).values_list("id", "owner_id"))
    foreign = [found for found in batch if owners.get(found.record.id, owner.pk) != owner.pk]
    new = {found.record.id: found for found in reversed(batch) if found.record.id not in owners}
    refused = _copy_or_insert(list(new.values()), owner=owner)
    summary.imported += len(new) - len(refused)
    summary.known += len(batch) - len(foreign) - len(new)
    for each in (*(Refused(found.origin, FOREIGN) for found in foreign), *refused):
        summary.refusals.add(each)


def _copy_or_insert(batch: Sequence[FoundRecord], *, owner: Any) -> list[Refused]:
    """COPY is four times as fast, but refuses all rows for one that is not valid. Return the refused ones."""
    try:
        with transaction.atomic(), connection.wrap_database_errors:
            _copy(batch, owner=owner)
    except Error as error:
        if not refuses_data(error):
            raise
        return _insert(batch, owner=owner)
    return []


def _copy(batch: Sequence[FoundRecord], *, owner: Any) -> None:
    """Columns that a record does not have get their defaults from the database."""
    fields = list(ItemRecord.model_fields)
    columns = sql.SQL(", ").join(map(sql.Identifier, [*fields, "tag_keys", "owner_id"]))
    command = sql.SQL("COPY items ({}) FROM STDIN").format(columns)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for found in batch:
            record = found.record
            copy.write_row([*(getattr(record, name) for name in fields), tag_keys(record.tags), owner.pk])


def _insert(batch: Sequence[FoundRecord], *, owner: Any) -> list[Refused]:
    """Insert all at once, or one by one if the database refuses one. Return the refused ones."""
    items = [found.record.to_item(owner) for found in batch]
    try:
        with transaction.atomic():
            # Another process may be importing the same items.
            Item.objects.bulk_create(items, ignore_conflicts=True)
    except Error as error:
        if not refuses_data(error):
            raise
        if len(batch) == 1:
            return [Refused(batch[0].origin, "refused by the database")]
        return [refused for found in batch for refused in _insert([found], owner=owner)]
    return []
