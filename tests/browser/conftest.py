"""One Chromium for all tests, and one site with a listener for consecutive tests."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from pytest_django import DjangoDbBlocker
from selenium import webdriver

from items.models import AuditEvent
from tests.browser.browser import Browser
from tests.browser.chromium import MISSING, is_installed, running_chromium
from tests.browser.site import Site, running_site
from tests.items.admin.staff import EVERY_VERB, staff

# Deleting users and pauses writes audit events.
MODELS: list[type[Model]] = [
    User,
    *(model for model in apps.get_models() if model not in (ContentType, Permission)),
    AuditEvent,
]


@pytest.fixture(scope="session")
def chromium() -> "Iterator[webdriver.Chrome]":
    if not is_installed():
        pytest.skip(MISSING)
    with running_chromium() as driver:
        yield driver


@pytest.fixture(scope="package")
def site(
    chromium: "webdriver.Chrome",
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Stop the site before other tests begin: its listener would take their items."""
    with running_site(tmp_path_factory.mktemp("site", numbered=True)) as site:
        yield site


@pytest.fixture
def transactional_db(site: Site, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Replace pytest-django's, which makes new content types after each test: the web server caches the old ones."""
    with django_db_blocker.unblock():
        yield
        for model in MODELS:
            model._base_manager.all().delete()


@pytest.fixture
def browser(chromium: "webdriver.Chrome", site: Site, transactional_db: None) -> Iterator[Browser]:
    """A browser, logged out. At the end, check that the console is empty and that no request failed."""
    browser = Browser(chromium, site.address)
    browser.start_over()
    yield browser
    assert browser.complaints() == []


@pytest.fixture
def person(transactional_db: None) -> User:
    """A user with items and without access to the admin."""
    return User.objects.create_user("ada", password="correct horse")


@pytest.fixture
def reviewer(transactional_db: None) -> User:
    return staff("reviewer", *EVERY_VERB)


@pytest.fixture
def reader(transactional_db: None) -> User:
    """A user who may view and nothing else."""
    return staff("reader", "view_item")
