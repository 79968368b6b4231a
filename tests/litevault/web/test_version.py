"""The version in the header of every response."""

import pytest
from django.test import Client

import litevault

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/items", "/api/v1/docs", "/login", "/admin/", "/no/such/page"])
def test_every_response_names_the_version(path: str) -> None:
    response = Client().get(path)

    assert response["X-LiteVault-Version"] == litevault.__version__
