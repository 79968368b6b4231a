"""What holds for every test, and where the fixtures come from that folders share."""

import gc
import signal
from collections.abc import Iterator
from importlib import import_module

import hypothesis
import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from tests.embedded import postgres_for_tests

# A busy machine is no fault of a test.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

pytest_plugins = [
    "tests.plugins.commands",
    "tests.plugins.database",
    "tests.plugins.events",
    "tests.plugins.providers",
    "tests.plugins.proxies",
    "tests.plugins.tiers",
    "tests.plugins.users",
    "tests.plugins.worker",
]


def pytest_configure() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and what they start inherits that."""
    gc.disable()
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Collect garbage from here on: what collecting tests imported stays."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Called by pytest-django before it makes the test database, and only when a test needs one.

    The suffix keeps tests apart that run side by side on one server.
    """
    with postgres_for_tests():
        yield


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Import the site before a test changes settings: some modules read them while they are imported."""
    import_module(settings.ROOT_URLCONF)
    return settings


@pytest.fixture(autouse=True, scope="session")
def settings_of_all_tests() -> None:
    """Set once: to set and reset them for each test would take longer than most tests.

    Pages render without collectstatic, whatever LITEVAULT_DEBUG says. The real hash of one password takes a third of a
    second of processor time.
    """
    django_settings.WHITENOISE_AUTOREFRESH = True
    django_settings.STORAGES = django_settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    django_settings.PASSWORD_HASHERS = ["tests.plugins.users.QuickHasher"]
