"""Checks of the web server: it can start, and has its static files."""

from pathlib import Path

from django.conf import settings

from litevault.operations.checks import deployment_errors
from litevault.operations.doctor.result import CheckResult


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
            "not collected, so the admin and the browsable API answer 500",
            "Run: manage.py collectstatic --noinput",
        )
    return CheckResult("static", "collected")
