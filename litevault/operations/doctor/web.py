"""Checks of the web server: it can start, has its static files, and keeps its secrets."""

import stat
from pathlib import Path

from django.conf import settings

from litevault import dotenv
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


def dotenv_file() -> CheckResult:
    """The file has the secrets of this installation."""
    if not dotenv.DOTENV.exists():
        return CheckResult(".env", "not used")
    if dotenv.DOTENV.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return CheckResult(".env", "other accounts may read or change it", f"Run: chmod 600 {dotenv.DOTENV}")
    return CheckResult(".env", "readable by its owner only")
