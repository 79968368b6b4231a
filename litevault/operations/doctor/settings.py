"""The settings in force, without secrets."""

import os
import re
from collections.abc import Iterator

from django.conf import settings

from enrichment.config import EnvironmentSettings
from items.suggestions import did_you_mean
from litevault.settings.declaration import SETTINGS, Setting, known_names, text_of, unknown_names


def settings_in_force() -> Iterator[tuple[str, str]]:
    """Return every setting with its value, or "(set)" for a secret, and addresses without passwords."""
    groups: dict[type[EnvironmentSettings], EnvironmentSettings] = {
        type(group): group for group in (settings.PROJECT, settings.LLM, settings.ENRICH)
    }
    for setting in SETTINGS:
        yield setting.name, shown(setting, text_of(getattr(groups[setting.group], setting.field)))
    for name in sorted(name for name in os.environ if name.endswith("_API_KEY") and os.environ[name]):
        yield name, "(set)"
    for name in unknown_names(os.environ):
        yield name, f"(ignored: unknown setting.{did_you_mean(name, known_names())})"


def shown(setting: Setting, value: str) -> str:
    if not value:
        return "(not set)"
    return "(set)" if setting.is_secret and not setting.is_address else without_password(value)


def without_password(address: str) -> str:
    """Blank the password between user and host, and every parameter that is a password.

    Of a model's address, show only scheme, host, port and path: each other part may be a key.
    """
    if re.match(r"(?i)https?://", address):
        address = re.sub(r"//.*[?#].*@.*", "//***", address)  # a password with a ?, or a parameter with an @
        return re.sub(r"([?#]).*", r"\1***", re.sub(r"//.*@", "//***@", address))
    address = re.sub(r"(//[^/@:]*:).*@", r"\1***@", address)
    return re.sub(r"(?i)(password\s*=\s*)(?:'(?:\\.|[^'\\])*'|[^&\s]*)", r"\1***", address)
