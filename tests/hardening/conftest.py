from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from litevault.accounts.models import ApiToken
from tests.hardening.production import PRODUCTION, TWO_WORKERS
from tests.plugins.commands import starting
from tests.privacy.web import Web, web_server


@pytest.fixture(scope="module")
def shared_web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One web server for all tests of a module: starting one takes longer than most of them."""
    with (
        starting(tmp_path_factory.mktemp("web")) as start,
        web_server(start, token="", more=TWO_WORKERS, **PRODUCTION) as web,
    ):
        yield web


@pytest.fixture
def token(transactional_db: None, owner: User) -> str:
    return ApiToken.objects.issue(user=owner, name="hardening")[1]
