"""Crashes for Sentry, which is imported only if SENTRY_DSN is set.

A report is made of what the log has, too: the name of the event, the classes of the exceptions, the lines of code and
the id of the request. Sentry's integrations are left out, because they send messages, local variables and requests.
"""

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import structlog
from django.conf import settings

from litevault.operations.logging import causes_of, exception_of

logger = structlog.get_logger(__name__)

TAGS = ("request_id", "item_id", "worker")
FLUSH_SECONDS = 2


def start(service: str) -> None:
    """Report every line of the log that has an exception, from the level ERROR up."""
    if not os.environ.get("SENTRY_DSN"):
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
    except ImportError:
        logger.warning("error_reports.unavailable", sentence='Install "litevault[sentry]", or requirements/sentry.txt.')
        return
    sentry_sdk.init(
        release=os.environ.get("SENTRY_RELEASE") or f"litevault@{settings.VERSION}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda _pending, _timeout: None)],
        shutdown_timeout=FLUSH_SECONDS,
        max_breadcrumbs=0,
        include_local_variables=False,
        include_source_context=False,
        send_default_pii=False,
        auto_session_tracking=False,
    )
    logging.getLogger().addHandler(ErrorReports(sentry_sdk.capture_event, service=service))


class ErrorReports(logging.Handler):
    """Passes on the crashes in the log, as events of Sentry's."""

    def __init__(self, capture_event: Any, *, service: str) -> None:
        super().__init__(logging.ERROR)
        self._capture_event = capture_event
        self._service = service

    def emit(self, record: logging.LogRecord) -> None:
        line = record.msg if isinstance(record.msg, dict) else {}
        error = exception_of(line.get("exc_info") or record.exc_info)
        if error is None or record.name.startswith("sentry_sdk"):
            return
        tags = {name: str(line[name]) for name in TAGS if name in line}
        report = {
            "level": record.levelname.lower(),
            "logger": record.name,
            # What others log may quote a text.
            "message": str(line.get("event", record.name)),
            "exception": {"values": [_described(each) for each in causes_of(error)]},
            "tags": {"service": self._service, **tags},
        }
        with suppress(Exception):  # the request or the worker goes on
            self._capture_event(report)


def _described(error: BaseException) -> dict[str, Any]:
    return {
        "type": type(error).__qualname__,
        "module": type(error).__module__,
        "stacktrace": {"frames": list(_frames(error))},
    }


def _frames(error: BaseException) -> Iterator[dict[str, Any]]:
    for frame, number in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        yield {
            "filename": name,
            "function": frame.f_code.co_name,
            "lineno": number,
            "in_app": "site-packages" not in name,
        }
