"""Settings that are unsafe in production: the web server refuses to start, and `check --deploy` reports them."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error

KEY_LENGTH = 50
KEY_CHARACTERS = 5
DEBUG_IS_ON = "LITEVAULT_DEBUG must not be true in production."
LOOPBACK = {"localhost", "127.0.0.1", "[::1]", ".localhost"}


def deployment_errors() -> Iterator[str]:
    """Return a sentence for each unsafe setting, which says what to do."""
    if "*" in settings.ALLOWED_HOSTS:
        yield "LITEVAULT_ALLOWED_HOSTS must not be *: list the host names of the web server."
    if settings.DEBUG:
        if set(settings.ALLOWED_HOSTS) - LOOPBACK:
            yield (
                "LITEVAULT_DEBUG is true, and LITEVAULT_ALLOWED_HOSTS contains public names. "
                "Debug mode shows details of errors, so choose one of the two."
            )
        return
    if settings.SECRET_KEY_IS_TEMPORARY:
        yield "Set LITEVAULT_SECRET_KEY to a long random text, or LITEVAULT_DEBUG=true."
    elif settings.SECRET_KEY == settings.DEVELOPMENT_KEY or not _is_long_and_mixed(settings.SECRET_KEY):
        yield f"LITEVAULT_SECRET_KEY can be guessed. Set it to {KEY_LENGTH} random characters or more."
    if not settings.ALLOWED_HOSTS:
        yield "Set LITEVAULT_ALLOWED_HOSTS to the host names of the web server."


def check_deployment(**_options: Any) -> list[Error]:
    """Also report debug mode, with which the web server starts on loopback."""
    sentences = [*deployment_errors(), *([DEBUG_IS_ON] if settings.DEBUG else [])]
    return [Error(sentence, id="litevault.E001") for sentence in sentences]


def _is_long_and_mixed(key: str) -> bool:
    return len(key) >= KEY_LENGTH and len(set(key)) >= KEY_CHARACTERS
