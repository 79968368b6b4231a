"""Many guesses at once, to two web workers that share nothing but the database."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from tests.hardening.production import PRODUCTION, TWO_WORKERS
from tests.plugins.commands import CommandStarter
from tests.privacy.web import web_server
from tests.together import at_once
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

CSRF = "c" * 32
# Tests that check many passwords would spend most of their time on it.
QUICK = {"DJANGO_SETTINGS_MODULE": "tests.hardening.quick_passwords"}
QUICK_PASSWORDS = pytest.mark.parametrize("host", [QUICK], indirect=True, ids=["quick"])


@pytest.fixture
def host(start: CommandStarter, request: pytest.FixtureRequest) -> Iterator[str]:
    settings = PRODUCTION | getattr(request, "param", {})
    with web_server(start, token="", more=TWO_WORKERS, **settings) as web:
        yield web.address.removeprefix("http://")


def log_in(host: str, name: str, password: str, *, address: str) -> int:
    """Log in as a browser behind one proxy, and return the status."""
    form = urlencode({"csrfmiddlewaretoken": CSRF, "username": name, "password": password})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={CSRF}",
        "X-Forwarded-For": address,
    }
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", "/login", form, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_guesses_at_once_are_counted_together_by_all_web_workers(host: str, owner: User) -> None:
    began = time.monotonic()

    answers = at_once(30, lambda number: log_in(host, owner.username, f"guess {number}", address="203.0.113.9"))

    drained = (time.monotonic() - began) / 6  # ten a minute
    assert 10 <= answers.count(200) <= 11 + drained
    assert answers.count(429) == 30 - answers.count(200)


@pytest.mark.parametrize(
    "host", [QUICK | {"LITEVAULT_PROXIES": "0", "LITEVAULT_LOGIN_FAILURES_PER_ADDRESS": "3"}], indirect=True
)
def test_without_a_proxy_the_address_of_the_connection_counts(host: str) -> None:
    answers = [log_in(host, f"user-{number}", "guess", address=f"203.0.113.{number}") for number in range(5)]

    assert answers == [200] * 3 + [429] * 2


@QUICK_PASSWORDS
def test_wrong_passwords_do_not_hold_up_right_ones(host: str, owner: User) -> None:
    owner.set_password("correct horse battery")
    owner.save()

    def log_in_or_guess(number: int) -> int:
        password = "guess" if number % 4 == 0 else "correct horse battery"
        return log_in(host, owner.username, password, address=f"203.0.113.{number % 3}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(log_in_or_guess, range(60)))

    assert set(answers) <= {200, 302, 429}
    assert answers.count(302) > answers.count(429)


@QUICK_PASSWORDS
def test_owner_gets_in_while_one_address_guesses_without_end(host: str, owner: User) -> None:
    owner.set_password("correct horse battery")
    owner.save()
    guesses = [log_in(host, owner.username, f"guess {number}", address="203.0.113.9") for number in range(40)]

    answer = log_in(host, owner.username, "correct horse battery", address="192.0.2.1")

    assert guesses[-1] == 429
    assert answer == 302
