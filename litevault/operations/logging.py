"""Logs: one structlog pipeline for our own events and for the standard library's.

Never logged: secrets, the user's text, the local variables of a traceback and the message of an exception.
The message of a database error quotes the row, and that of a model's library quotes the request.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any, TextIO

# structlog would load rich, which comes with Instructor, for tracebacks that we do not print: 4 MB in each process.
modules: dict[str, Any] = sys.modules
modules.setdefault("rich", None)
import structlog  # it must not find rich
from structlog.typing import EventDict, Processor

if modules["rich"] is None:
    del modules["rich"]

# These log what the model said, or the exception text with the key and the user's text in it.
TALKATIVE_LOGGERS = (
    *("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "instructor", "openai", "httpx", "httpcore"),
    "django.server",  # prints whole URLs, and with them what people search for
)

# This one logs every statement with its parameters, which are the user's text.
SQL_LOGGER = "django.db.backends"

SECRET_NAME = re.compile(r"(?i)(authorization|api_?key|password|secret|cookie|(^|_)token$|raw_?text)")


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment, not to what it was at the start."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """The base class sets it once, to no effect."""


def configure_logging(*, log_format: str, level: str) -> None:
    """Send everything from `level` up to standard error, as JSON lines or for a person's eyes."""
    handler = StandardErrorHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common_processors(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(log_format)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in TALKATIVE_LOGGERS:
        silence(name)
    logging.getLogger(SQL_LOGGER).setLevel("WARNING")
    logging.getLogger("django.request").setLevel(logging.ERROR)  # request.finished tells of every refused request
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def silence(name: str) -> None:
    logger = logging.getLogger(name)
    logger.handlers = [logging.NullHandler()]
    logger.propagate = False


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Blank the value of every key whose name promises a secret or the user's text."""
    for key in event:
        if SECRET_NAME.search(key):
            event[key] = "[redacted]"
    return event


def tell_where(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Put the classes of the exceptions and the places in the code for a traceback, without any message."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_places(error))
    return event


def _places(error: BaseException | None) -> Iterator[str]:
    """The first cause comes first, as in Python's own tracebacks."""
    if error is None:
        return
    yield from _places(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _places(part)


def _common_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]


def _renderers(log_format: str) -> list[Processor]:
    if log_format == "console":
        return [tell_where, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    return [tell_where, structlog.processors.JSONRenderer()]
