"""JSON Lines: one item per line, in UTF-8, with the field names of the API."""

from collections.abc import Iterator
from typing import BinaryIO

from items.texts import raw_text_max_length
from items.transfer.records import ItemRecord

SUFFIX = ".jsonl"


def line_max_bytes() -> int:
    """Return more than any item needs, however its characters are escaped. Nothing longer is kept in memory."""
    return 12 * raw_text_max_length() + 64 * 1024


def dump(record: ItemRecord) -> bytes:
    return record.model_dump_json(by_alias=True).encode() + b"\n"


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and content of each line that is not blank; None for a line that is too long to be an item."""
    limit = line_max_bytes()
    number = 0
    while line := stream.readline(limit):
        number += 1
        if _is_complete(line, limit):
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")
        else:
            while (rest := stream.readline(limit)) and not _is_complete(rest, limit):
                pass
            yield number, None


def _is_complete(line: bytes, limit: int) -> bool:
    return line.endswith(b"\n") or len(line) < limit
