"""A reviewer with all permissions on items, and a viewer who may only view them."""

import pytest
from django.test import Client

from tests.items.admin.staff import EVERY_VERB, staff_client


@pytest.fixture
def reviewer(db: None) -> Client:
    return staff_client("reviewer", *EVERY_VERB)


@pytest.fixture
def viewer(db: None) -> Client:
    return staff_client("viewer", "view_item")
