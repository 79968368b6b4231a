"""JSON Lines: one item per line, in UTF-8, with the field names of the API."""

from collections.abc import Iterator
from typing import BinaryIO

from items.transfer.records import ItemRecord

SUFFIX = ".jsonl"
# More than any item needs, however its characters are escaped. Nothing longer is kept in memory.
LINE_MAX_BYTES = 512 * 1024


def dump(record: ItemRecord) -> bytes:
    return record.model_dump_json(by_alias=True).encode() + b"\n"


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and content of each line that is not blank; None for a line that is too long to be an item."""
    number = 0
    while line := stream.readline(LINE_MAX_BYTES):
        number += 1
        if _is_complete(line):
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")
        else:
            while (rest := stream.readline(LINE_MAX_BYTES)) and not _is_complete(rest):
                pass
            yield number, None


def _is_complete(line: bytes) -> bool:
    return line.endswith(b"\n") or len(line) < LINE_MAX_BYTES
