"""What must not be left over from development when the web server starts for others.

`manage.py check --deploy` says the same beforehand.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error

KEY_LENGTH = 50
KEY_CHARACTERS = 5
LOOPBACK = {"localhost", "127.0.0.1", "[::1]", ".localhost"}


def leftovers() -> Iterator[str]:
    """Sentences that say what is wrong, and what to do about it."""
    if "*" in settings.ALLOWED_HOSTS:
        yield "LITEVAULT_ALLOWED_HOSTS must not be *: name the hosts that the web server answers to."
    if settings.DEBUG:
        if set(settings.ALLOWED_HOSTS) - LOOPBACK:
            yield (
                "LITEVAULT_DEBUG is true, and LITEVAULT_ALLOWED_HOSTS names hosts of a network. "
                "While debugging anybody may be anybody, so choose one of the two."
            )
        return
    if settings.SECRET_KEY_IS_TEMPORARY:
        yield "Set LITEVAULT_SECRET_KEY to a long random text, or LITEVAULT_DEBUG=true."
    elif settings.SECRET_KEY == settings.DEVELOPMENT_KEY or not _is_long_and_mixed(settings.SECRET_KEY):
        yield f"LITEVAULT_SECRET_KEY can be guessed. Set it to {KEY_LENGTH} random characters or more."
    if not settings.ALLOWED_HOSTS:
        yield "Set LITEVAULT_ALLOWED_HOSTS to the names that the web server answers to."


def check_leftovers(**_options: Any) -> list[Error]:
    return [Error(sentence, id="litevault.E001") for sentence in leftovers()]


def _is_long_and_mixed(key: str) -> bool:
    return len(key) >= KEY_LENGTH and len(set(key)) >= KEY_CHARACTERS
