"""Logs: one structlog pipeline for our own events and for the standard library's.

Never logged: secrets, the user's text, the local variables of a traceback and the message of an exception.
A database error quotes the row in its message, and a model's library quotes the request.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from copy import copy
from typing import Any, TextIO

# structlog would load rich, which comes with Instructor, for tracebacks that we do not print: 4 MB in each process.
modules: dict[str, Any] = sys.modules
modules.setdefault("rich", None)
import structlog  # it must not find rich
from structlog.typing import EventDict, Processor

if modules["rich"] is None:
    del modules["rich"]

# These log replies of the model, or exception messages with the key and the user's text in them.
VERBOSE_LOGGERS = (
    *("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "instructor", "openai", "httpx", "httpcore"),
    "django.server",  # prints whole URLs, and with them what people search for
)

# This one logs every statement with its parameters, which are the user's text.
SQL_LOGGER = "django.db.backends"

# These print the exceptions of others, and a database error quotes the row in its message: of what they say, only the
# classes of exceptions are logged, and the lines of code.
QUOTING_LOGGERS = ("asyncio", "opentelemetry", "psycopg", "sentry_sdk")

SECRET_NAME = re.compile(r"(?i)(authorization|api_?key|password|secret|cookie|(^|_)token$|raw_?text)")


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to the current sys.stderr, not to the one at the start."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """Ignore the stream that the base class sets."""

    def format(self, record: logging.LogRecord) -> str:
        library = record.name.partition(".")[0]
        return super().format(_without_words(record, library) if library in QUOTING_LOGGERS else record)


def configure_logging(*, log_format: str, level: str) -> None:
    """Send everything from `level` up to standard error, as JSON lines or in colour for a terminal."""
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
    for name in VERBOSE_LOGGERS:
        silence(name)
    logging.getLogger(SQL_LOGGER).setLevel("WARNING")
    logging.getLogger("django.request").setLevel(logging.ERROR)  # request.finished covers refused requests
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


def _without_words(record: logging.LogRecord, library: str) -> logging.LogRecord:
    record = copy(record)
    arguments = record.args if isinstance(record.args, tuple) else ()
    causes = [type(each).__name__ for each in arguments if isinstance(each, BaseException)]
    record.msg, record.args = " ".join([f"{library}.reported", *causes]), ()
    return record


def silence(name: str) -> None:
    logger = logging.getLogger(name)
    logger.handlers = [logging.NullHandler()]
    logger.propagate = False


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Redact the value of every key whose name suggests a secret or the user's text."""
    for key in event:
        if SECRET_NAME.search(key):
            event[key] = "[redacted]"
    return event


def add_traceback(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace the traceback with the exceptions' classes and the lines of code, without any message."""
    error = exception_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = "\n".join(line for each in causes_of(error) for line in _places(each))
    return event


def exception_of(exc_info: object) -> BaseException | None:
    """Return the exception of what a line of the log is given as `exc_info`."""
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    return error if isinstance(error, BaseException) else None


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Start with the first cause, as Python's own tracebacks do. The parts of a group follow it."""
    if error is None:
        return
    yield from causes_of(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
    yield error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from causes_of(part)


def _places(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
    yield f"{type(error).__module__}.{type(error).__qualname__}"


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
        return [add_traceback, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    return [add_traceback, structlog.processors.JSONRenderer()]
