"""Checks of the web server: it can start, has its static files, keeps its secrets, and gets no ambiguous headers."""

import http.client
import stat
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.conf import settings

from litevault import dotenv
from litevault.operations.checks import deployment_errors
from litevault.operations.doctor.result import CheckResult

DEADLINE_SECONDS = 5.0
AMBIGUOUS = {"Content_Encoding": "doctor"}
"""With a hyphen, the web server refuses it with 415."""


def web_server() -> CheckResult:
    if found := " ".join(deployment_errors()):
        return CheckResult("web server", "does not start with these settings", found)
    return CheckResult("web server", "can start")


def static_files() -> CheckResult:
    """In debug mode the files are served from their packages."""
    if settings.DEBUG:
        return CheckResult("static", "served from the packages in debug mode")
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return CheckResult(
            "static",
            "not collected, so pages have no styles and no scripts",
            "Run: manage.py collectstatic --noinput",
        )
    return CheckResult("static", "collected")


def dotenv_file() -> CheckResult:
    """The file has the secrets of this installation."""
    if not dotenv.DOTENV.exists():
        return CheckResult(".env", "not used")
    if dotenv.DOTENV.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return CheckResult(".env", "other accounts may read or change it", f"Run: chmod 600 {dotenv.DOTENV}")
    return CheckResult(".env", "readable by its owner only")


def headers(*, url: str) -> CheckResult:
    """Send a header with an underscore, which WSGI cannot distinguish from one with a hyphen."""
    if settings.DEBUG or not url:
        return CheckResult("headers", "not checked in development" if settings.DEBUG else "not checked without --url")
    if not _is_refused(Request(f"{url}/healthz", headers=AMBIGUOUS)):  # noqa: S310  # the command accepts only HTTP
        return CheckResult("headers", "those with underscores do not arrive")
    return CheckResult(
        "headers",
        "X_Forwarded_For from a client arrives as X-Forwarded-For",
        "Make the proxy drop headers with underscores, as nginx does, or failed logins are not limited by address: "
        "see docs/operations.md.",
    )


def _is_refused(request: Request) -> bool:
    try:
        with urlopen(request, timeout=DEADLINE_SECONDS):  # noqa: S310  # see above
            return False
    except HTTPError as refused:
        with refused:
            return refused.code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    except (OSError, ValueError, http.client.HTTPException):
        return False  # the check of the proxy reports it
