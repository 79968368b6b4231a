"""The listener process, started and stopped as an operator does."""

import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from items.models import Item
from items.pauses import pause_of
from items.states import Outcome, Status
from tests.database import listeners_alive, reaches
from tests.enrichment.fake_llm_server import FakeLLMServer, serving
from tests.items.factories import make_attempt, make_item
from tests.plugins.commands import CommandStarter, ListenerStarter, SlowListenerStarter
from tests.plugins.tiers import first_usual
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "The lighthouse keeper repaired the lamp. Ships could see the harbour again that night."


def test_captured_text_is_enriched_by_a_real_process(owner: User, start_listener: ListenerStarter) -> None:
    start_listener()

    item = reaches(Item.objects.capture(owner=owner, raw_text=TEXT), Status.READY_TO_CONFIRM)

    assert item.title
    assert item.title in TEXT
    assert 3 <= len(item.tags) <= 5


@pytest.mark.parametrize("scope", first_usual("", "_PER_OWNER"))
def test_listener_leaves_items_when_the_budget_is_spent(owner: User, start: CommandStarter, scope: str) -> None:
    now = timezone.now()
    paid = make_item(owner, status=Status.ARCHIVED)
    for number, day in enumerate((now, now + timedelta(days=1)), start=1):  # at whatever time the test runs
        make_attempt(paid, number=number, finished_at=day, cost_usd=2)
    item = Item.objects.capture(owner=owner, raw_text=TEXT)

    process = start("enrich_listener", "--drain", **{f"LITEVAULT_LLM_DAILY_BUDGET{scope}_USD": "1.5"})

    assert process.wait(PATIENCE_SECONDS) == 0
    item.refresh_from_db()
    assert (item.status, item.attempt_count) == (Status.ENRICHING, 0)
    assert pause_of(owner.pk) is not None


def test_connection_that_listens_carries_the_id_of_its_worker(start_listener: ListenerStarter) -> None:
    start_listener("--worker-id", "attic-7")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'litevault-listener attic-7'"
            " AND datname = current_database()"
        )
        assert cursor.fetchone() == (1,)


def test_row_inserted_by_plain_sql_is_enriched(owner: User, start_listener: ListenerStarter) -> None:
    start_listener()

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO items (owner_id, raw_text) VALUES (%s, %s)", [owner.pk, TEXT])

    reaches(Item.objects.get(), Status.READY_TO_CONFIRM)


@pytest.mark.thorough
def test_failed_row_that_plain_sql_sends_back_is_enriched(owner: User, start_listener: ListenerStarter) -> None:
    item = Item.objects.create(
        owner=owner, raw_text=TEXT, status=Status.FAILED, enrichment_error="CODE: why", attempt_count=3
    )
    start_listener()

    with connection.cursor() as cursor:
        cursor.execute("UPDATE items SET status = 'ENRICHING' WHERE id = %s", [item.pk])

    assert reaches(item, Status.READY_TO_CONFIRM).enrichment_error is None


def test_drain_enriches_what_is_due_and_exits(owner: User, start: CommandStarter) -> None:
    for number in range(20):
        Item.objects.capture(owner=owner, raw_text=f"{TEXT} {number}")

    process = start("enrich_listener", "--drain")

    assert process.wait(PATIENCE_SECONDS) == 0
    assert Item.objects.filter(status=Status.READY_TO_CONFIRM).count() == 20


@pytest.mark.parametrize("signal_number", first_usual(signal.SIGTERM, signal.SIGINT))
def test_idle_process_stops_at_the_first_signal(start_listener: ListenerStarter, signal_number: int) -> None:
    process = start_listener(LITEVAULT_ENRICH_GRACE_SECONDS="600")

    process.send_signal(signal_number)

    assert process.wait(PATIENCE_SECONDS) == 0
    until(lambda: listeners_alive() == 0)


def ask(model: FakeLLMServer) -> dict[str, str]:
    """Return the settings of a process that calls this model."""
    return {
        "LITEVAULT_LLM_PROVIDER": "litellm",
        "LITEVAULT_LLM_API_BASE": model.url,
        "OPENAI_API_KEY": "sk-test",
    }


@pytest.fixture
def busy(owner: User, start_listener: ListenerStarter) -> Iterator[subprocess.Popen[str]]:
    """Start a process whose only call to the model hangs."""
    with serving("hang") as model:
        process = start_listener(**ask(model), LITEVAULT_ENRICH_GRACE_SECONDS="600")
        Item.objects.capture(owner=owner, raw_text=TEXT)
        until(lambda: model.calls)
        yield process


@pytest.mark.thorough
def test_second_signal_gives_back_what_is_in_flight(busy: subprocess.Popen[str]) -> None:
    # Two signals of the same kind are one if they arrive before the process looks.
    busy.send_signal(signal.SIGTERM)
    busy.send_signal(signal.SIGINT)

    assert busy.wait(PATIENCE_SECONDS) == 0
    item = Item.objects.get()
    assert (item.status, item.claimed_by, item.attempt_count) == (Status.ENRICHING, None, 0)
    assert [attempt.outcome for attempt in item.attempts.all()] == [Outcome.RELEASED]


def test_first_signal_alone_waits_for_what_is_in_flight(owner: User, start_slow: SlowListenerStarter) -> None:
    process = start_slow(2, LITEVAULT_ENRICH_GRACE_SECONDS="600")
    item = Item.objects.capture(owner=owner, raw_text=TEXT)
    until(lambda: Item.objects.exclude(claimed_by=None).exists())

    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert Item.objects.get(pk=item.pk).status == Status.READY_TO_CONFIRM


def test_killed_process_loses_nothing(owner: User, start_slow: SlowListenerStarter, start: CommandStarter) -> None:
    busy = start_slow(600)
    Item.objects.capture(owner=owner, raw_text=TEXT)
    until(lambda: Item.objects.exclude(claimed_by=None).exists())
    busy.kill()
    busy.wait()
    Item.objects.update(available_at=timezone.now())

    peer = start("enrich_listener", "--drain")

    assert peer.wait(PATIENCE_SECONDS) == 0
    item = Item.objects.get()
    assert item.status == Status.READY_TO_CONFIRM
    assert [attempt.outcome for attempt in item.attempts.order_by("number")] == [Outcome.LOST, Outcome.SUCCEEDED]


@pytest.mark.thorough
def test_key_that_is_refused_fails_the_item_and_retry_heals_it(owner: User, start_listener: ListenerStarter) -> None:
    item = Item.objects.capture(owner=owner, raw_text=TEXT)
    with serving("status_401") as model:
        start_listener(**ask(model))
        error = reaches(item, Status.FAILED).enrichment_error
        model.script("ok")
        item.retry()
        reaches(item, Status.READY_TO_CONFIRM)

    assert error is not None
    assert error.startswith("LLM_API_ERROR: ")
    assert "sk-test" not in error
    assert item.attempts.count() == 2


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (("--concurrency", "0"), {}, "must be a whole number from 1 to 1000"),
        (("--worker-id", "x" * 65), {}, "must be 1 to 64 printable characters"),
        ((), {"LITEVAULT_LLM_CONCURRENCY": "many"}, "LITEVAULT_LLM_CONCURRENCY must be a whole number from 1 to 1000"),
        ((), {"LITEVAULT_LLM_MODLE": "x"}, "Unknown setting LITEVAULT_LLM_MODLE"),
    ],
)
def test_wrong_setting_is_refused_in_one_sentence(
    start: CommandStarter, tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], sentence: str
) -> None:
    process = start("enrich_listener", *arguments, **environment)

    assert process.wait(PATIENCE_SECONDS) not in (0, None)
    said = (tmp_path / "process-0.log").read_text()
    assert sentence in said
    assert "Traceback" not in said
