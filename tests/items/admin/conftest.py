"""A reviewer may do everything with items, a viewer may only look, and neither is a superuser."""

import pytest
from django.test import Client

from tests.items.admin.staff import EVERY_VERB, staff_client


@pytest.fixture
def reviewer(db: None) -> Client:
    return staff_client("reviewer", *EVERY_VERB)


@pytest.fixture
def viewer(db: None) -> Client:
    return staff_client("viewer", "view_item")
