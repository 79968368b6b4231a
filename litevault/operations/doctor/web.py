"""Would the web server start, and serve its pages?"""

from pathlib import Path

from django.conf import settings

from litevault.operations.checks import leftovers
from litevault.operations.doctor.finding import Finding


def web_server() -> Finding:
    if found := " ".join(leftovers()):
        return Finding("web server", False, "does not start as it is set", found)
    return Finding("web server", True, "has what it needs to start")


def static_files() -> Finding:
    """While debugging they are served from where they are."""
    if settings.DEBUG:
        return Finding("static", True, "served from the packages, as this is for development")
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return Finding(
            "static",
            False,
            "files have not been collected, so the admin and the browsable API answer 500",
            "Run: manage.py collectstatic --noinput",
        )
    return Finding("static", True, "files are collected")
