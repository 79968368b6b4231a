"""The limit of requests per user and minute."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.request import Request

from items.api.views import OwnerViewSet
from items.models import ItemQuerySet
from litevault.accounts import throttling
from litevault.accounts.at_once import AT_ONCE, HEAVY, Admitted
from litevault.accounts.models import Throttle
from litevault.accounts.throttling import MOST_CHARGED
from tests.items.api.client import Api, problem
from tests.together import at_once
from tests.waiting import until


def statuses(api: Api, count: int) -> list[int]:
    return [api.get("/items").status_code for _ in range(count)]


def let_pass(seconds: float) -> None:
    """Move the buckets back in time."""
    Throttle.objects.update(drained_at=F("drained_at") - timedelta(seconds=seconds))


def test_allowance_of_a_minute_allows_a_burst_and_no_more(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 5

    assert statuses(Api(owner), 7) == [200] * 5 + [429] * 2


def test_client_learns_when_the_next_request_is_allowed(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 4
    api = Api(owner)
    statuses(api, 4)

    response = api.get("/items")

    assert problem(response) == (429, "RATE_LIMITED")
    assert 10 <= int(response["Retry-After"]) <= 15


@pytest.mark.parametrize("uses_token", [True, False])
def test_client_learns_to_wait_if_the_bucket_drained_meanwhile(
    owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, *, uses_token: bool
) -> None:
    settings.THROTTLE_PER_MINUTE = 1
    monkeypatch.setattr(throttling, "SECONDS_TO_WAIT", "SELECT -0.1::float8")
    client = Client(headers=Api(owner).headers if uses_token else {})
    client.force_login(owner)
    client.get("/api/v1/items")

    response = client.get("/api/v1/items")

    assert problem(response) == (429, "RATE_LIMITED")
    assert response["Retry-After"] == "1"


def test_client_that_waits_as_long_gets_one_request(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 4
    api = Api(owner)
    statuses(api, 4)
    wait = int(api.get("/items")["Retry-After"])

    let_pass(wait)

    assert statuses(api, 2) == [200, 429]


def test_client_that_does_not_wait_is_not_locked_out_longer(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 2
    api = Api(owner)
    statuses(api, 20)

    let_pass(60)

    assert statuses(api, 3) == [200, 200, 429]


def test_idle_time_does_not_accumulate(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 2
    api = Api(owner)
    statuses(api, 1)

    let_pass(7200)

    assert statuses(api, 3) == [200, 200, 429]


def test_users_do_not_use_up_what_others_may(owner: User, stranger: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 1
    statuses(Api(owner), 3)

    assert statuses(Api(stranger), 2) == [200, 429]


def test_tokens_and_sessions_of_one_user_count_together(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 2
    browser = Client()
    browser.force_login(owner)
    statuses(Api(owner), 1)

    assert [browser.get("/api/v1/items").status_code for _ in range(2)] == [200, 429]


def test_nothing_is_done_for_a_request_that_came_too_early(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 1
    api = Api(owner)
    statuses(api, 1)

    response = api.post("/items", {"rawText": "Too early."})

    assert problem(response) == (429, "RATE_LIMITED")
    assert not owner.items.exists()


@pytest.mark.django_db
def test_unauthenticated_request_is_not_counted(settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 1

    answers = [Client().get("/api/v1/items").status_code for _ in range(3)]

    assert answers == [401] * 3
    assert not Throttle.objects.exists()


def test_no_limit_counts_nothing(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 0

    assert statuses(Api(owner), 3) == [200] * 3
    assert not Throttle.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_are_counted_one_by_one(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 10
    settings.REQUESTS_AT_ONCE = 20
    api = Api(owner)
    began = time.monotonic()

    answers = at_once(20, lambda _: api.get("/items").status_code)

    came_back = (time.monotonic() - began) / 6  # one every six seconds
    assert 10 <= answers.count(200) <= 10 + came_back
    assert answers.count(429) == 20 - answers.count(200)


@pytest.mark.django_db
def test_counting_does_not_wait_for_the_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'api_throttles'::regclass")
        assert cursor.fetchone() == ("u",)


def test_heavy_requests_count_as_several(owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.THROTTLE_PER_MINUTE = 9
    monkeypatch.setattr("litevault.accounts.throttling.CHARGED_SECONDS", 1e6)
    api = Api(owner)

    assert [api.get("/items", {"q": "word"}).status_code for _ in range(3)] == [200, 200, 429]
    assert [api.get("/items").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("per_minute", [1, 3])
def test_heavy_request_is_allowed_by_the_smallest_allowance(owner: User, settings: Settings, per_minute: int) -> None:
    settings.THROTTLE_PER_MINUTE = per_minute
    api = Api(owner)
    api.get("/items")
    let_pass(60)

    assert api.get("/tags").status_code == 200


def test_time_of_a_heavy_request_is_charged(owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.THROTTLE_PER_MINUTE = 60
    monkeypatch.setattr("litevault.accounts.throttling.CHARGED_SECONDS", 1e-6)
    api = Api(owner)
    api.get("/items")
    assert spent(owner) < 2, "a light request is charged nothing"

    api.get("/tags")

    assert HEAVY + 1 < spent(owner) <= MOST_CHARGED + 1


def spent(owner: User) -> float:
    """Return the requests in the bucket when each is a second."""
    return (Throttle.objects.get(user=owner).drained_at - timezone.now()).total_seconds()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "weight", "running"), [("/items", 1, 8), ("/items?q=word", HEAVY, 1), ("/tags", HEAVY, 1)]
)
def test_only_so_many_requests_of_a_user_run_at_once(
    owner: User,
    stranger: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    weight: int,
    running: int,
) -> None:
    settings.REQUESTS_AT_ONCE = 8
    inside, most_inside, lock, goes_on = 0, 0, threading.Lock(), threading.Event()
    initial = OwnerViewSet.initial

    def waiting(view: OwnerViewSet, request: Request, *args: object, **kwargs: object) -> None:
        nonlocal inside, most_inside
        initial(view, request, *args, **kwargs)
        with lock:
            inside += 1
            most_inside = max(most_inside, inside)
        goes_on.wait(60)
        with lock:
            inside -= 1

    monkeypatch.setattr(OwnerViewSet, "initial", waiting)
    api = Api(owner)
    with ThreadPoolExecutor(8) as threads:
        admitted = [threads.submit(status_in_thread, api, path) for _ in range(8 // weight)]
        until(lambda: len(AT_ONCE._admitted) == 8 // weight and inside == running)
        monkeypatch.setattr(OwnerViewSet, "initial", initial)
        refused = [api.get(path), Api(owner).get(path)]
        of_another = Api(stranger).get(path)
        goes_on.set()
        statuses = [future.result() for future in admitted]

    assert [problem(response) for response in refused] == [(429, "RATE_LIMITED")] * 2
    assert [response["Retry-After"] for response in refused] == ["1"] * 2
    assert of_another.status_code == 200
    assert set(statuses) == {200}
    assert most_inside == running
    assert api.get(path).status_code == 200
    assert not AT_ONCE._admitted


def test_heavy_request_whose_turn_does_not_come_is_refused(owner: User, settings: Settings) -> None:
    settings.STATEMENT_SECONDS = 0
    running = Admitted(owner.pk, HEAVY, (None, None))
    assert AT_ONCE.enter(running)

    response = Api(owner).get("/tags")

    assert problem(response) == (429, "RATE_LIMITED")
    AT_ONCE.leave(running)
    assert Api(owner).get("/tags").status_code == 200
    assert not AT_ONCE._admitted


def test_request_that_is_one_too_many_at_once_is_not_counted(owner: User, settings: Settings) -> None:
    settings.THROTTLE_PER_MINUTE = 60
    settings.REQUESTS_AT_ONCE = HEAVY
    api = Api(owner)
    api.get("/items")
    before = spent(owner)
    running = Admitted(owner.pk, 1, (None, None))
    AT_ONCE.enter(running)

    response = api.get("/tags")

    AT_ONCE.leave(running)
    assert problem(response) == (429, "RATE_LIMITED")
    assert spent(owner) <= before


def test_flood_of_one_does_not_refuse_who_sends_no_token(owner: User, settings: Settings) -> None:
    settings.REQUESTS_AT_ONCE = HEAVY
    running = Admitted(owner.pk, HEAVY, (None, None))
    AT_ONCE.enter(running)

    response = Client().get("/api/v1/items")

    AT_ONCE.leave(running)
    assert problem(response) == (401, "UNAUTHORIZED")


def status_in_thread(api: Api, path: str) -> int:
    try:
        return int(api.get(path).status_code)
    finally:
        connection.close()


def test_failed_requests_leave_their_place(owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REQUESTS_AT_ONCE = 4

    def fails(_items: ItemQuerySet) -> ItemQuerySet:
        raise OperationalError

    monkeypatch.setattr(ItemQuerySet, "not_discarded", fails)
    assert {Api(owner).get("/items").status_code for _ in range(3)} == {503}
    assert not AT_ONCE._admitted
