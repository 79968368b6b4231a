"""JSON Lines: an item on each line, in UTF-8, with the names of the API."""

from collections.abc import Iterator
from typing import BinaryIO

from items.exchange.record import ItemRecord

SUFFIX = ".jsonl"
# More than an item can take, whatever its characters and however they are escaped. Nothing longer is kept in memory.
LINE_MAX_BYTES = 512 * 1024


def line_of(record: ItemRecord) -> bytes:
    return record.model_dump_json(by_alias=True).encode() + b"\n"


def lines_of(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank with their numbers. None stands for one that is too long to be an item."""
    number = 0
    while line := stream.readline(LINE_MAX_BYTES):
        number += 1
        if is_whole(line):
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")
        else:
            while (rest := stream.readline(LINE_MAX_BYTES)) and not is_whole(rest):
                pass
            yield number, None


def is_whole(line: bytes) -> bool:
    return line.endswith(b"\n") or len(line) < LINE_MAX_BYTES
