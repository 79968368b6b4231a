"""Progress bars with the rate and the time that is left."""

import sys
from typing import Any, NoReturn

from tqdm import tqdm


def progress(what: str, *, total: int | None = None, unit: str = " items", **options: Any) -> "tqdm[NoReturn]":
    """A bar on standard error, if that is a terminal."""
    return tqdm(desc=what, total=total, unit=unit, disable=not sys.stderr.isatty(), file=sys.stderr, **options)


def bytes_progress(what: str, *, total: int | None) -> "tqdm[NoReturn]":
    return progress(what, total=total, unit="B", unit_scale=True, unit_divisor=1024)
