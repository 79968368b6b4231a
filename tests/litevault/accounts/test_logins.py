"""The limits of failed logins."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from litevault.accounts.models import LoginThrottle

PASSWORD, WRONG = "correct horse battery", "wrong"
PAGES = ("/login", "/admin/login/")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> Settings:
    settings.LOGIN_FAILURES_PER_NAME = 4
    settings.LOGIN_FAILURES_PER_ADDRESS = 0
    settings.PROXIES = 0
    return settings


@pytest.fixture(autouse=True)
def ann() -> User:
    return User.objects.create_superuser("ann", password=PASSWORD)


def log_in(name: str = "ann", password: str = WRONG, *, page: str = "/login", address: str = "192.0.2.1") -> Any:
    return Client(REMOTE_ADDR=address).post(page, {"username": name, "password": password})


def statuses(count: int, name: str = "ann", **where: str) -> list[int]:
    return [log_in(name, **where).status_code for _ in range(count)]


def let_pass(seconds: float) -> None:
    """Move the buckets back in time."""
    LoginThrottle.objects.update(drained_at=F("drained_at") - timedelta(seconds=seconds))


@pytest.mark.parametrize("page", PAGES)
def test_logins_of_one_name_are_refused_beyond_the_limit(page: str) -> None:
    assert statuses(6, page=page) == [200] * 4 + [429] * 2


def test_both_login_pages_count_together() -> None:
    assert statuses(4, page="/login") == [200] * 4

    assert statuses(1, page="/admin/login/") == [429]


def test_right_password_is_refused_too_until_the_wait_is_over() -> None:
    statuses(4)
    refused = log_in(password=PASSWORD)

    let_pass(int(refused["Retry-After"]))
    answer = log_in(password=PASSWORD)

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 15
    assert (answer.status_code, answer["Location"]) == (302, "/api/v1/items/pending")


def test_page_says_how_long_to_wait() -> None:
    statuses(4)

    page = Client(REMOTE_ADDR="192.0.2.1").post(
        "/login", {"username": "ann", "password": "wrong"}, headers={"Accept": "text/html"}
    )

    assert f"Too many logins failed. Try again in {page['Retry-After']} seconds." in page.content.decode()


def test_user_who_does_not_wait_is_not_locked_out_longer() -> None:
    statuses(30)

    let_pass(60)

    assert statuses(5) == [200] * 4 + [429]


def test_successful_logins_are_not_counted() -> None:
    answers = [log_in(password=PASSWORD).status_code for _ in range(9)]

    assert answers == [302] * 9
    assert statuses(5) == [200] * 4 + [429]


def test_name_that_does_not_exist_counts_as_one_that_does() -> None:
    assert statuses(6, "nobody") == statuses(6, "ann")


@pytest.mark.parametrize("spelling", ["ANN", " ann ", "ａｎｎ"])  # full-width letters
def test_spellings_of_one_name_count_together(spelling: str) -> None:
    statuses(4, "ann")

    assert statuses(1, spelling) == [429]


def test_names_do_not_use_up_what_others_have() -> None:
    statuses(6, "bob")

    assert log_in(password=PASSWORD).status_code == 302


def test_name_too_long_for_any_user_is_cut_before_it_is_counted() -> None:
    statuses(4, "x" * 150)

    assert statuses(1, "x" * 60_000) == [429]


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2", id="from-a-socket-for-both-versions"),
        pytest.param("192.0.2.1:40001", "192.0.2.1:40002", "192.0.2.2:40001", id="with-a-port"),
        pytest.param("2001:db8:0:1::1", "2001:db8:0:ff::1", "2001:db8:0:100::1", id="of-one-network"),
        pytest.param("[2001:db8::1]:40001", "2001:db8::2", "2001:db9::1", id="of-one-network-with-a-port"),
    ],
)
def test_addresses_of_one_client_count_together(limits: Settings, one: str, same: str, other: str) -> None:
    limits.LOGIN_FAILURES_PER_ADDRESS = 1

    answers = [log_in(f"user-{address}", address=address).status_code for address in (one, same, other)]

    assert answers == [200, 429, 200]


def test_clients_without_address_are_not_counted_as_one(limits: Settings) -> None:
    limits.LOGIN_FAILURES_PER_ADDRESS, limits.PROXIES = 1, 1

    assert [log_in(f"user-{number}").status_code for number in range(3)] == [200] * 3


def test_address_that_tries_many_names_is_refused(limits: Settings) -> None:
    limits.LOGIN_FAILURES_PER_ADDRESS = 3

    answers = [log_in(f"user-{number}").status_code for number in range(5)]

    assert answers == [200] * 3 + [429] * 2
    assert log_in(password=PASSWORD, address="192.0.2.2").status_code == 302


def test_one_address_cannot_use_up_what_a_name_has(limits: Settings) -> None:
    limits.LOGIN_FAILURES_PER_ADDRESS = 2
    statuses(30, address="198.51.100.66")

    assert log_in(password=PASSWORD, address="192.0.2.1").status_code == 302


@pytest.mark.parametrize(
    ("proxies", "said", "expected"),
    [
        (0, ("192.0.2.7", "192.0.2.8"), [200, 429]),
        (1, ("192.0.2.7", "192.0.2.8"), [200, 200]),
        (1, ("10.0.0.1, 192.0.2.7", "10.0.0.2, 192.0.2.7"), [200, 429]),
        (2, ("10.0.0.1, 192.0.2.7, 192.0.2.1", "10.0.0.1, 192.0.2.8, 192.0.2.1"), [200, 200]),
    ],
)
def test_forwarded_address_is_trusted_from_our_proxies_only(
    limits: Settings, proxies: int, said: Sequence[str], expected: list[int]
) -> None:
    limits.LOGIN_FAILURES_PER_ADDRESS = 1
    limits.REST_FRAMEWORK = {**limits.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    guess = {"username": "x", "password": "y"}

    answers = [Client().post("/login", guess, headers={"X-Forwarded-For": chain}) for chain in said]

    assert [answer.status_code for answer in answers] == expected


def test_refused_login_counts_for_neither_name_nor_address(limits: Settings) -> None:
    limits.LOGIN_FAILURES_PER_ADDRESS = 3
    statuses(4, address="198.51.100.66")
    statuses(2, address="198.51.100.67")
    assert statuses(3, address="192.0.2.1") == [429] * 3

    assert statuses(4, "bob", address="192.0.2.1") == [200] * 3 + [429]


def test_no_limits_count_nothing(limits: Settings) -> None:
    limits.LOGIN_FAILURES_PER_NAME = 0

    assert statuses(5) == [200] * 5
    assert not LoginThrottle.objects.exists()


def test_looking_at_the_page_is_not_counted() -> None:
    answers = [Client().get("/login").status_code for _ in range(6)]

    assert answers == [200] * 6
    assert not LoginThrottle.objects.exists()


def test_neither_names_nor_addresses_are_kept() -> None:
    log_in("a password typed in the wrong place")

    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM login_throttles")
        assert all(len(key) == 64 and int(key, 16) for (key,) in cursor.fetchall())


def test_drained_buckets_are_deleted() -> None:
    old = timezone.now() - timedelta(minutes=5)
    LoginThrottle.objects.bulk_create(LoginThrottle(key=f"{number:064x}", drained_at=old) for number in range(15))

    statuses(2, "bob")

    assert LoginThrottle.objects.count() == 1


def test_counting_does_not_wait_for_the_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'login_throttles'::regclass")
        assert cursor.fetchone() == ("u",)
