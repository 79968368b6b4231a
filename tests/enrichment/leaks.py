"""Canaries: a key and a text that must not appear outside the request."""

import logging
import traceback
from collections.abc import Iterator

KEY = "sk-canary-7c1f0e5b"
TEXT = "The canary 93d2a4 sings to Zoë {{ 7*7 }}."
CANARIES = (KEY, "93d2a4")


def leaked(*texts: str) -> list[str]:
    """Return the canaries in these texts."""
    return [canary for canary in CANARIES if any(canary in text for text in texts)]


def everything_said_by(error: BaseException | None) -> Iterator[str]:
    """Return all that a logger could find in an error and its causes."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield from (str(current), repr(current), repr(current.args), repr(vars(current)))
        yield from traceback.format_exception(current)
        waiting += [current.__cause__, current.__context__]


class Recorder(logging.Handler):
    """Keeps each record of the root logger, formatted with its traceback."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record) + repr(record.args))
