"""Every setting that is in force, without the secrets."""

import os
import re
from collections.abc import Iterator

from django.conf import settings


def settings_in_force() -> Iterator[tuple[str, str]]:
    """Every setting with its value, where a secret shows only that it is set."""
    yield "DATABASE_URL", without_password(os.environ.get("DATABASE_URL", "")) or "(embedded)"
    yield "LITEVAULT_LISTEN_DATABASE_URL", without_password(settings.LISTEN_DATABASE_URL) or "(DATABASE_URL)"
    yield "LITEVAULT_DEBUG", str(settings.DEBUG).lower()
    yield "LITEVAULT_SECRET_KEY", "(set)" if os.environ.get("LITEVAULT_SECRET_KEY") else "(not set)"
    yield "LITEVAULT_ALLOWED_HOSTS", ",".join(settings.ALLOWED_HOSTS) or "(none)"
    for group in (settings.LLM, settings.ENRICH):
        for field, variable in group.variables():
            yield variable, without_password(_plain(getattr(group, field))) or "(none)"
    for name in sorted(name for name in os.environ if name.endswith("_API_KEY") and os.environ[name]):
        yield name, "(set)"


def without_password(address: str) -> str:
    """Blank what stands between the user's name and the host, and every parameter that names a password."""
    address = re.sub(r"(//[^/@:]*:).*@", r"\1***@", address)
    return re.sub(r"(?i)(password=)[^&\s]*", r"\1***", address)


def _plain(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
