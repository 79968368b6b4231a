"""Batches are bounded by their number and by their size."""

from collections.abc import Sequence

import pytest

from items.transfer import batches
from items.transfer.batches import batched


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1], [[1]]),
        ([1, 1, 1], [[1, 1, 1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([9, 1, 1], [[9, 1], [1]]),
        ([10, 1], [[10], [1]]),
        ([50, 50], [[50], [50]]),
    ],
)
def test_batch_ends_when_it_is_full(
    monkeypatch: pytest.MonkeyPatch, sizes: Sequence[int], expected: list[list[int]]
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 3)
    monkeypatch.setattr(batches, "BATCH_BYTES", 10)

    assert list(batched(sizes, bytes_of=int)) == expected


def test_entry_after_a_full_batch_is_not_awaited() -> None:
    entries = iter([batches.BATCH_BYTES, 1])

    next(batched(entries, bytes_of=int))

    assert next(entries) == 1
