"""What the environment says: which variables there are, and how each kind of value is read."""

import environ
from django.core.exceptions import ImproperlyConfigured

from enrichment.config import EnrichSettings, LLMSettings

env = environ.Env()

PLAIN_NAMES = {
    "LITEVAULT_ALLOWED_HOSTS",
    "LITEVAULT_CSRF_TRUSTED_ORIGINS",
    "LITEVAULT_DEBUG",
    "LITEVAULT_EVENTS_HEARTBEAT_SECONDS",
    "LITEVAULT_EVENTS_PORT",
    "LITEVAULT_EVENTS_STREAMS",
    "LITEVAULT_EVENTS_STREAMS_PER_USER",
    "LITEVAULT_LISTEN_DATABASE_URL",
    "LITEVAULT_LOGIN_FAILURES_PER_ADDRESS",
    "LITEVAULT_LOGIN_FAILURES_PER_NAME",
    "LITEVAULT_LOG_FORMAT",
    "LITEVAULT_LOG_LEVEL",
    "LITEVAULT_PG_BIN",
    "LITEVAULT_PROXIES",
    "LITEVAULT_SECRET_KEY",
    "LITEVAULT_THROTTLE_PER_MINUTE",
}


def refuse_unknown_names() -> None:
    """A name that nobody reads is most likely a typing mistake."""
    known = PLAIN_NAMES | {name for group in (LLMSettings, EnrichSettings) for _, name in group.variables()}
    unknown = sorted(name for name in env.ENVIRON if name.startswith("LITEVAULT_") and name not in known)
    if unknown:
        raise ImproperlyConfigured(
            f"Unknown setting {', '.join(unknown)}. The settings table in the README has the names that exist."
        )


def boolean(name: str) -> bool:
    words = {"": False, "true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False}
    value = words.get(env.str(name, default="").strip().lower())
    if value is None:
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return value


def whole_number(name: str, *, default: int, maximum: int, minimum: int = 0) -> int:
    value = env.str(name, default="").strip() or str(default)
    if not (value.isascii() and value.isdecimal() and minimum <= int(value) <= maximum):
        raise ImproperlyConfigured(f"{name} must be a whole number from {minimum} to {maximum}.")
    return int(value)


def choice(name: str, *, default: str, among: tuple[str, ...]) -> str:
    value = env.str(name, default="") or default
    if value not in among:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(among)}.")
    return value
