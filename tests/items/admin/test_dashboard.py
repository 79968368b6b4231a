"""The dashboard shows what is in the database."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.admin.periods import Row, read_periods
from items.models import EnrichmentPause, Item
from items.models.period import Period
from items.queue import LISTENER_NAME, listener_name
from items.reasons import Reason
from items.states import Outcome, Status
from tests.items.admin.pages import listed
from tests.items.factories import RAW_TEXT, make_attempt, make_item
from tests.items.other_connection import other_connection

INDEX = "/admin/?periods=read"
HOUR = timedelta(hours=1)


def section(client: Client, name: str) -> str:
    """Return the text of one section of the page."""
    page = client.get(INDEX).text
    found = re.search(rf'<section aria-labelledby="dashboard-{name}".*?</section>', page, re.DOTALL)
    assert found
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


def in_flight(owner: User, *, lease: timedelta) -> Item:
    now = timezone.now()
    return make_item(owner, available_at=now + lease, claimed_by="worker-1", claimed_at=now - HOUR)


def test_each_status_has_a_count_and_a_link(viewer: Client, owner: User) -> None:
    for number, status in enumerate(Status, start=1):
        for _ in range(number):
            make_item(owner, status=status)

    page = viewer.get(INDEX).text

    links = re.findall(r'href="/admin/items/item/\?status=(\w+)"[^>]*>[^<]*<strong>(\d+)</strong>', page)
    assert links == [(status.value, str(number)) for number, status in enumerate(Status, start=1)]


def test_waiting_claimed_and_scheduled_items_are_counted(viewer: Client, owner: User) -> None:
    now = timezone.now()
    make_item(owner, available_at=now - 3 * HOUR)
    in_flight(owner, lease=HOUR)
    in_flight(owner, lease=-HOUR)
    for _ in range(3):
        make_item(owner, available_at=now + HOUR)

    assert section(viewer, "queue") == (
        "Queue Waiting for a worker 2 Oldest wait 3 h In flight 1 Scheduled for later 3 Postponed by the provider 0"
    )


@pytest.mark.parametrize(
    ("owner_ids", "who"), [([0], "all owners"), ([0, 5], "all owners"), ([5], "1 owner"), ([5, 6], "2 owners")]
)
def test_budget_that_is_spent_is_shown(viewer: Client, owner_ids: Sequence[int], who: str) -> None:
    until = datetime(2040, 6, 2, tzinfo=UTC)
    EnrichmentPause.objects.bulk_create(
        [EnrichmentPause(reason="BUDGET", owner_id=owner_id, until=until) for owner_id in owner_ids]
    )
    EnrichmentPause.objects.create(reason="BUDGET", owner_id=7, until=timezone.now() - HOUR)

    assert section(viewer, "queue").endswith(
        f"The budget of the day is spent for {who}. Their items wait until 2040-06-02 00:00 UTC."
    )


def test_dashboard_of_an_empty_database_is_empty(viewer: Client) -> None:
    dash = "\N{EN DASH}"

    assert section(viewer, "queue") == (
        f"Queue Waiting for a worker 0 Oldest wait {dash} In flight 0 Scheduled for later 0 Postponed by the provider 0"
    )
    assert section(viewer, "failures") == "Failed attempts of the last hour None."
    assert section(viewer, "workers") == "Workers No worker is listening. Nothing is enriched until one is started."
    assert "Cost unknown unknown" in section(viewer, "usage")
    assert "NaN" not in viewer.get(INDEX).text


def test_failures_of_the_last_hour_are_counted_by_reason(viewer: Client, owner: User) -> None:
    item = make_item(owner)
    reasons = [Reason.TIMED_OUT, Reason.KEY_REFUSED, Reason.KEY_REFUSED]
    for number, reason in enumerate(reasons, start=1):
        make_attempt(item, number=number, outcome=Outcome.FAILED, error_code=reason.code, error_reason=reason)
    make_attempt(item, number=4, outcome=Outcome.LOST)
    make_attempt(item, number=5)
    make_attempt(item, number=6, outcome=Outcome.FAILED, finished_at=timezone.now() - 2 * HOUR)

    page = viewer.get(INDEX).text

    assert section(viewer, "failures").endswith("KEY_REFUSED 2 LOST 1 TIMED_OUT 1")
    assert '<a href="/admin/items/item/?status=FAILED&amp;error_reason=KEY_REFUSED">' in page
    assert [int(width) for width in re.findall(r'item-outcome-failed.*?<rect width="(\d+)"', page)] == [100, 50, 50]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        *((reason.code, reason.value) for reason in Reason),
        ("LLM_API_ERROR", None),
        ("LLM_API_ERROR", "OF_ANOTHER_VERSION"),
        ("OWN_CODE", None),
    ],
)
def test_failure_leads_to_the_items_that_failed_for_it(
    viewer: Client, owner: User, code: str, reason: str | None
) -> None:
    wanted = make_item(owner, status=Status.FAILED, enrichment_error=f"{code}: Why.", error_reason=reason)
    for other in (None, *Reason):
        if other != reason:
            other_code = other.code if other else "LLM_VALIDATION_ERROR"
            make_item(owner, status=Status.FAILED, enrichment_error=f"{other_code}: Why.", error_reason=other)
    make_attempt(wanted, outcome=Outcome.FAILED, error_code=code, error_reason=reason)

    (address,) = re.findall(r'item-code"><a href="([^"]+)">', viewer.get(INDEX).text)

    assert listed(viewer.get(unescape(address)).text) == {str(wanted.pk)}


def test_last_day_shows_attempts_and_latency_by_hour(viewer: Client, owner: User) -> None:
    now = timezone.now()
    for number, seconds in enumerate((2, 2, 40), start=1):
        finished_at = now - 5 * HOUR
        item = make_item(owner, created_at=finished_at - timedelta(seconds=seconds))
        make_attempt(item, finished_at=finished_at, started_at=finished_at - timedelta(seconds=1.5), number=1)
        make_attempt(item, finished_at=finished_at, number=number + 1, outcome=Outcome.FAILED)
    make_attempt(make_item(owner), finished_at=now - 30 * HOUR)

    shown = section(viewer, "day")

    hour = f"{now - 5 * HOUR:%H}:00"
    assert re.search(rf"{hour} 3 3 [^ ]+ \w+ 2\.0 s 36 s", shown)
    assert "6 in all." in shown
    assert len(re.findall(r"\d\d:00 \d+ \d+", shown)) == 24


def test_charts_have_axes_and_values(viewer: Client, owner: User) -> None:
    item = make_item(owner)
    finished_at = timezone.now() - 5 * HOUR
    for number in range(1, 8):
        make_attempt(item, number=number, finished_at=finished_at, cost_usd=Decimal("0.01"))

    page = viewer.get(INDEX).text

    attempts, latency, cost = re.findall(r'<svg class="item-chart".*?</svg>', page, re.DOTALL)
    ticks = [re.findall(r'item-tick-value"[^>]*>([^<]*)<', chart) for chart in (attempts, cost)]
    assert ticks == [["0", "2", "4", "6", "8"], ["$0", "$0.02", "$0.04", "$0.06", "$0.08"]]
    for chart in (attempts, latency, cost):
        values = re.findall(r'data-value="(\d\d:\d\d) to \d\d:\d\d: [^"]+"', chart)
        assert len(values) == 24
        assert len(re.findall(r'item-tick-hour"[^>]*>\d\d:00<', chart)) == 4
    assert f"{finished_at:%H}:00 to {finished_at + HOUR:%H}:00: 7 succeeded, 0 others" in attempts
    assert f"{finished_at:%H}:00 to {finished_at + HOUR:%H}:00: $0.0700" in cost


def test_items_postponed_by_the_provider_are_counted(viewer: Client, owner: User) -> None:
    later = timezone.now() + timedelta(seconds=40)
    for refund_count in (0, 1, 2):
        make_item(owner, available_at=later, refund_count=refund_count)

    shown = section(viewer, "queue")

    assert re.search(r"Scheduled for later 3 Postponed by the provider 2 for up to [34]\d s$", shown)


def test_first_view_shows_a_link_instead_of_the_last_day(viewer: Client, owner: User) -> None:
    make_attempt(make_item(owner), finished_at=timezone.now() - 5 * HOUR)

    first = viewer.get("/admin/").text
    filled = viewer.get("/admin/?periods=read").text
    second = viewer.get("/admin/").text

    assert 'href="/admin/?periods=read" data-fill' in first
    assert "dashboard-queue" in first
    assert "item-chart" not in first
    assert "item-chart" in filled
    assert "item-chart" in second


@pytest.mark.parametrize(("missing", "is_read"), [(3, True), (4, False)])
def test_few_missing_periods_are_read_at_once(viewer: Client, *, missing: int, is_read: bool) -> None:
    viewer.get("/admin/?periods=read")
    Period.objects.filter(pk__in=Period.objects.order_by("-start")[:missing].values("pk")).delete()

    page = viewer.get("/admin/").text

    assert ("item-chart" in page) is is_read


def test_late_retry_does_not_count_towards_latency(viewer: Client, owner: User) -> None:
    item = make_item(owner, created_at=timezone.now() - timedelta(days=7))
    make_attempt(item, number=1, outcome=Outcome.FAILED, finished_at=timezone.now() - timedelta(days=7))
    make_attempt(item, number=2)

    assert "median 0" not in (day := viewer.get(INDEX).text)
    assert day.count("median \N{EN DASH}, 95th percentile \N{EN DASH}") == 24


def test_charts_have_titles_and_descriptions(viewer: Client, owner: User) -> None:
    make_attempt(make_item(owner))

    page = viewer.get(INDEX).text

    charts = re.findall(r'<svg class="item-chart".*?</svg>', page, re.DOTALL)
    assert len(charts) == 3
    for chart in charts:
        labels = re.search(r'role="img" tabindex="0" aria-labelledby="([\w-]+) ([\w-]+)"', chart)
        assert labels
        assert f'<title id="{labels[1]}">' in chart
        assert f'<desc id="{labels[2]}">' in chart
    dashboard = page[page.index('class="item-dashboard"') : page.index('id="content-main"')]
    assert "<script" not in dashboard
    assert " style=" not in dashboard


@contextmanager
def listening(worker: str) -> Iterator[None]:
    with other_connection(name=listener_name(worker)):
        yield


@pytest.mark.django_db(transaction=True)
def test_connected_listener_is_shown_with_id_and_claims(viewer: Client, owner: User) -> None:
    for _ in range(2):
        in_flight(owner, lease=timedelta(minutes=1))

    with listening("worker-1"), listening("worker-2"):
        alive = section(viewer, "workers")
    gone = section(viewer, "workers")

    seen = r"(127\.0\.0\.1|local) \d{4}-\d\d-\d\d \d\d:\d\d \d+ ms ago"
    nothing = "\N{EN DASH}"
    assert re.search(rf"worker-1 {seen} 2 0 {nothing} worker-2 {seen} 0 0 {nothing}$", alive)
    assert "No worker is listening. Nothing is enriched until one is started." in gone
    assert gone.endswith(f"worker-1 not listening 2 0 {nothing}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("worker", ["w" * 57 + ":123456", "Ärger-1", "worker one"])
def test_listener_with_a_long_or_non_ascii_id_is_matched(viewer: Client, owner: User, worker: str) -> None:
    make_attempt(make_item(owner), worker=worker)

    with listening(worker):
        shown = section(viewer, "workers")

    assert shown.count(worker) == 1
    assert "not listening" not in shown


@pytest.mark.django_db(transaction=True)
def test_listener_without_an_id_is_shown(viewer: Client) -> None:
    with other_connection(name=LISTENER_NAME):
        shown = section(viewer, "workers")

    assert "No worker is listening" not in shown


@pytest.mark.django_db(transaction=True)
def test_workers_of_the_last_hour_are_shown(viewer: Client, owner: User) -> None:
    item = make_item(owner)
    for number, worker in enumerate(("host-a:1", "host-a:1", "host-b:2"), start=1):
        make_attempt(item, number=number, worker=worker, finished_at=timezone.now() - number * timedelta(minutes=3))
    make_attempt(item, number=4, worker="host-c:3", finished_at=timezone.now() - 2 * HOUR)

    shown = section(viewer, "workers")

    assert shown.endswith("host-a:1 not listening 0 2 3 min ago host-b:2 not listening 0 1 9 min ago")


def test_tokens_and_cost_are_summed_for_today_and_this_month(viewer: Client, owner: User) -> None:
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    before_today = max(midnight - timedelta(seconds=1), midnight.replace(day=1))
    item = make_item(owner)
    used: dict[str, Any] = {"prompt_tokens": 1000, "completion_tokens": 20, "cost_usd": Decimal("0.75")}
    make_attempt(item, number=1, finished_at=midnight, **used)
    make_attempt(item, number=2, finished_at=before_today, **used)
    make_attempt(item, number=3, finished_at=midnight.replace(day=1) - timedelta(seconds=1), **used)
    make_attempt(item, number=4, finished_at=now)
    make_attempt(item, number=5, finished_at=now, prompt_tokens=0, completion_tokens=0)

    shown = section(viewer, "usage")

    today = ("2,000", "40", "$1.50") if before_today == midnight else ("1,000", "20", "$0.7500")
    assert shown == (
        f"Tokens and cost Today This month Tokens in {today[0]} 2,000 Tokens out {today[1]} 40 Cost {today[2]} $1.50 "
        "Attempts without a price 0 0 Budget of the day: not spent, or not set"
    )
    assert section(viewer, "usage") == shown, "the stored periods equal those that were read"


def test_attempts_without_a_price_are_counted(viewer: Client, owner: User) -> None:
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    item = make_item(owner)
    for number, finished_at in enumerate((now, midnight, midnight.replace(day=1)), start=1):
        make_attempt(item, number=number, finished_at=finished_at, prompt_tokens=9, completion_tokens=1)

    today = 3 if midnight.day == 1 else 2
    for _ in range(2):  # read, then stored
        assert section(viewer, "usage").endswith(
            f"Cost unknown unknown Attempts without a price {today} 3 Budget of the day: not spent, or not set"
        )


def test_past_hours_and_days_are_read_once(viewer: Client, owner: User) -> None:
    item = make_item(owner)
    now = timezone.now()
    times = [now - timedelta(minutes=minutes) for minutes in (0, 180)]
    for number, finished_at in enumerate(times, start=1):
        make_attempt(item, number=number, finished_at=finished_at)
    section(viewer, "day")

    for number, finished_at in enumerate(times, start=3):
        make_attempt(item, number=number, finished_at=finished_at)
    shown = section(viewer, "day")

    assert re.search(rf"{times[0]:%H}:00 2 0", shown)
    assert re.search(rf"{times[1]:%H}:00 1 0", shown)


def test_old_periods_are_deleted(db: None) -> None:
    long_ago = timezone.now() - timedelta(days=60)
    Period.objects.create(name="1h.2026", start=long_ago, totals=[])

    read_periods([timezone.now() - 5 * HOUR], lambda starts: dict.fromkeys(starts, ()), length=HOUR)

    assert not Period.objects.filter(start=long_ago).exists()
    assert Period.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_read_only_database_has_a_dashboard(viewer: Client, owner: User) -> None:
    make_attempt(make_item(owner), finished_at=timezone.now() - 3 * HOUR)
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        response = viewer.get(INDEX)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")

    assert response.status_code == 200
    assert "Attempts finished in each hour" in response.text
    assert not Period.objects.exists()


def test_recent_hour_is_read_again_for_late_verdicts(db: None) -> None:
    present = timezone.now().replace(minute=0, second=0, microsecond=0)
    asked: list[Sequence[datetime]] = []

    def read(starts: Sequence[datetime]) -> dict[datetime, Row]:
        asked.append(starts)
        return dict.fromkeys(starts, ("said", Decimal("0.5")))

    hours = [present - 5 * HOUR, present - HOUR, present]
    for minute in (5, 5, 59, 61, 61):
        with time_machine(present + timedelta(minutes=minute)):
            assert list(read_periods(hours, read, length=HOUR)) == hours

    assert asked == [hours, hours[1:], hours[1:], hours[1:], hours[2:]]


@contextmanager
def time_machine(moment: datetime) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        yield


def test_dashboard_contains_no_text_of_an_item(viewer: Client, owner: User) -> None:
    for status in Status:
        make_attempt(make_item(owner, status=status))

    page = viewer.get(INDEX).text

    assert "dashboard-queue" in page
    assert RAW_TEXT not in page


def test_number_of_dashboard_queries_is_constant(viewer: Client, owner: User) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            viewer.get(INDEX)
        return len(asked)

    viewer.get(INDEX)  # reads the hours and days that are over, which are remembered from then on
    empty = questions()
    for number, status in enumerate(Status, start=1):
        for _ in range(number):
            make_attempt(make_item(owner, status=status), worker=f"worker-{number}")

    assert questions() == empty > 0


def test_anonymous_user_gets_the_login_page(client: Client, db: None) -> None:
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
