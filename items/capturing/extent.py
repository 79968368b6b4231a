"""How much there is to read, for a progress bar that says how long it will take."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from items.capturing.sources import STANDARD_INPUT, Refused, Skipped, paths_in

ANY_SUFFIX = ("",)


def bytes_in(names: Sequence[str], *, suffixes: tuple[str, ...] = ANY_SUFFIX) -> int | None:
    """None when nobody knows before the end, as of standard input."""
    if STANDARD_INPUT in names:
        return None
    try:
        return sum(Path(path).stat().st_size for path in _paths(names, suffixes))
    except (OSError, ValueError):
        return None


def files_in(names: Sequence[str]) -> int | None:
    if STANDARD_INPUT in names:
        return None
    return sum(1 for _ in _paths(names, ANY_SUFFIX))


def _paths(names: Sequence[str], suffixes: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if Path(name).is_dir():
            found = (path for path in paths_in(name) if not isinstance(path, Refused | Skipped))
            yield from (path for path in found if path.endswith(suffixes))
        else:
            yield name
