"""The first of two hosts falls silent: it still accepts, as a dead host behind a load balancer does."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.models import Item
from items.states import Status
from litevault.accounts.models import ApiToken
from tests.database import database_url, reaches
from tests.faults.proxy import Proxy
from tests.plugins.commands import CommandStarter, ListenerStarter
from tests.privacy.web import web_server

pytestmark = pytest.mark.django_db(transaction=True)


def first_of_two(proxy: Proxy) -> str:
    parts = connection.settings_dict
    own, behind_proxy = (f"{host}:{port}" for host, port in ((parts["HOST"], parts["PORT"]), ("127.0.0.1", proxy.port)))
    return database_url().replace(f"@{own}/", f"@{behind_proxy},{own}/")


def test_everything_goes_on_with_the_second_host(
    owner: User, start: CommandStarter, start_listener: ListenerStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    url = first_of_two(proxy)
    listener = start_listener(DATABASE_URL=url, LITEVAULT_ENRICH_SWEEP_SECONDS="1")
    token = ApiToken.objects.issue(user=owner, name="test")[1]
    with web_server(start, token=token, DATABASE_URL=url) as web:
        reaches(Item.objects.capture(owner=owner, raw_text="With the first host."), Status.READY_TO_CONFIRM)

        proxy.fall_silent()
        reaches(Item.objects.capture(owner=owner, raw_text="With the second host."), Status.READY_TO_CONFIRM)
        ready = web.call("GET", "/readyz")
        listener.until_it_listens()

    assert '"database": "ok"' in ready
    assert listener.poll() is None


def test_processes_start_while_the_first_host_is_silent(
    owner: User, start: CommandStarter, start_listener: ListenerStarter, make_proxy: Callable[[], Proxy]
) -> None:
    proxy = make_proxy()
    proxy.fall_silent()
    url = first_of_two(proxy)
    token = ApiToken.objects.issue(user=owner, name="test")[1]

    start_listener(DATABASE_URL=url)
    with web_server(start, token=token, DATABASE_URL=url) as web:
        web.capture("A text.", key="key")

    reaches(Item.objects.get(), Status.READY_TO_CONFIRM)
