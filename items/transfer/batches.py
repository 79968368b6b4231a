"""Batches of texts: bounded by their number and by their size, so that they need little memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

BATCH_SIZE = 500
BATCH_BYTES = 4_000_000
"""A batch ends with the text that brings it to this size."""

Entry = TypeVar("Entry")


def batched(entries: Iterable[Entry], *, bytes_of: Callable[[Entry], int]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += bytes_of(entry)
        if len(batch) == BATCH_SIZE or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
