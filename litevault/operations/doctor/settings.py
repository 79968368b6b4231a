"""Every setting that is in force, without the secrets."""

import os
import re
from collections.abc import Iterator

from django.conf import settings

from enrichment.config import EnvironmentSettings
from litevault.settings.declaration import SETTINGS, Setting, text_of, unknown_names


def settings_in_force() -> Iterator[tuple[str, str]]:
    """Every setting with its value, where a secret shows only that it is set, and an address no password."""
    groups: dict[type[EnvironmentSettings], EnvironmentSettings] = {
        type(group): group for group in (settings.PROJECT, settings.LLM, settings.ENRICH)
    }
    for setting in SETTINGS:
        yield setting.name, shown(setting, text_of(getattr(groups[setting.group], setting.field)))
    for name in sorted(name for name in os.environ if name.endswith("_API_KEY") and os.environ[name]):
        yield name, "(set)"
    for name in unknown_names(os.environ):
        yield name, "(ignored: there is no setting of this name)"


def shown(setting: Setting, value: str) -> str:
    if not value:
        return "(not set)"
    return "(set)" if setting.is_secret and not setting.is_address else without_password(value)


def without_password(address: str) -> str:
    """Blank what stands between the user's name and the host, and every parameter that names a password."""
    address = re.sub(r"(//[^/@:]*:).*@", r"\1***@", address)
    return re.sub(r"(?i)(password\s*=\s*)(?:'(?:\\.|[^'\\])*'|[^&\s]*)", r"\1***", address)
