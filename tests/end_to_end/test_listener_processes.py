"""`enrich_listener --processes`: several listeners that one signal stops, each replaced when it dies."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest
from django.contrib.auth.models import User

from items.models import EnrichmentAttempt, Item
from items.states import Outcome, Status
from tests.database import listeners_alive, reaches
from tests.plugins.commands import CommandStarter, Started
from tests.processes import descendants, kill, survivors
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "The lighthouse keeper repaired the lamp. Ships could see the harbour again that night."


@dataclass
class Family:
    parent: Started

    @property
    def children(self) -> list[psutil.Process]:
        return survivors(descendants(self.parent))

    def times_logged(self, event: str) -> int:
        return self.parent.log.read_text().count(event)

    def until_connected(self, count: int) -> None:
        until(lambda: self.times_logged("listener.connected") >= count or self.parent.poll() is not None)
        assert self.parent.poll() is None, self.parent.log.read_text()


class FamilyStarter(Protocol):
    def __call__(self, *arguments: str, program: Sequence[str] = ..., **environment: str) -> Family: ...


@pytest.fixture
def start_family(start: CommandStarter) -> Iterator[FamilyStarter]:
    """Start two listeners under a parent, and wait until both listen."""
    families: list[Family] = []

    def start_family(
        *arguments: str, program: Sequence[str] = ("manage.py", "enrich_listener"), **environment: str
    ) -> Family:
        family = Family(start("--processes", "2", *arguments, program=program, **environment))
        families.append(family)
        family.until_connected(2)
        return family

    yield start_family
    for family in families:
        if family.parent.poll() is None:
            orphans = family.children
            kill(family.parent)
            for process in orphans:
                kill(process)


def slow(seconds: float) -> tuple[str, ...]:
    """Return the program of a listener whose provider takes so many seconds for each item."""
    return ("-m", "tests.faults.slow_listener", str(seconds))


ONE_AT_A_TIME = {"LITEVAULT_LLM_CONCURRENCY": "1", "LITEVAULT_ENRICH_GRACE_SECONDS": "600"}


def until_both_work(owner: User) -> None:
    """Wait until each child has claimed one item, and another one ahead."""
    Item.objects.capture_many(owner=owner, raw_texts=[f"{TEXT} {number}" for number in range(4)])
    until(lambda: Item.objects.exclude(claimed_by=None).count() == 4)


@pytest.fixture
def busy_family(owner: User, start_family: FamilyStarter) -> Family:
    """Start children that wait for the model longer than any test takes."""
    family = start_family("--worker-id", "crew", program=slow(600), **ONE_AT_A_TIME)
    until_both_work(owner)
    return family


def test_children_work_under_names_of_their_own(busy_family: Family) -> None:
    workers = Item.objects.values_list("claimed_by", flat=True)

    assert set(workers) == {"crew.1", "crew.2"}


def test_children_without_a_given_name_have_distinct_names(owner: User, start_family: FamilyStarter) -> None:
    start_family(program=slow(600), **ONE_AT_A_TIME)

    until_both_work(owner)

    assert Item.objects.values("claimed_by").distinct().count() == 2


def test_only_the_children_import_the_model_libraries(start_family: FamilyStarter) -> None:
    family = start_family(LITEVAULT_LLM_PROVIDER="litellm", OPENAI_API_KEY="sk-test")

    own = psutil.Process(family.parent.pid).memory_info().rss

    assert own < min(child.memory_info().rss for child in family.children) / 2


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_first_signal_stops_an_idle_family(start_family: FamilyStarter, sign: signal.Signals) -> None:
    family = start_family(LITEVAULT_ENRICH_GRACE_SECONDS="600")
    children = family.children

    family.parent.send_signal(sign)

    assert family.parent.wait(PATIENCE_SECONDS) == 0
    assert len(children) == 2
    assert not survivors(children)
    assert listeners_alive() == 0


def test_first_signal_lets_every_call_finish(owner: User, start_family: FamilyStarter) -> None:
    family = start_family(program=slow(1), **ONE_AT_A_TIME)
    until_both_work(owner)

    family.parent.send_signal(signal.SIGTERM)

    assert family.parent.wait(PATIENCE_SECONDS) == 0
    assert set(Item.objects.values_list("status", flat=True)) == {Status.READY_TO_CONFIRM}
    assert set(EnrichmentAttempt.objects.values_list("outcome", flat=True)) == {Outcome.SUCCEEDED}


def test_second_signal_releases_all_items_in_flight(busy_family: Family) -> None:
    busy_family.parent.send_signal(signal.SIGTERM)
    until(lambda: busy_family.times_logged("worker.draining") == 2)
    busy_family.parent.send_signal(signal.SIGTERM)

    assert busy_family.parent.wait(PATIENCE_SECONDS) == 0
    assert set(Item.objects.values_list("status", "claimed_by", "attempt_count")) == {(Status.ENRICHING, None, 0)}
    assert set(EnrichmentAttempt.objects.values_list("outcome", flat=True)) == {Outcome.RELEASED}


def test_third_signal_kills_a_frozen_child(busy_family: Family) -> None:
    children = busy_family.children
    frozen = children[0]
    frozen.suspend()

    busy_family.parent.send_signal(signal.SIGTERM)
    until(lambda: busy_family.times_logged("worker.draining") == 1)
    busy_family.parent.send_signal(signal.SIGTERM)
    until(lambda: busy_family.times_logged("worker.stopped") == 1)
    busy_family.parent.send_signal(signal.SIGTERM)

    assert busy_family.parent.wait(PATIENCE_SECONDS) == 70
    assert not survivors(children)


def test_killed_child_is_replaced_and_the_other_goes_on(owner: User, start_family: FamilyStarter) -> None:
    family = start_family()
    victim, other = family.children

    kill(victim)

    family.until_connected(3)
    assert other in family.children
    assert len(family.children) == 2
    assert "exit_code=137" in family.parent.log.read_text()
    reaches(Item.objects.capture(owner=owner, raw_text=TEXT), Status.READY_TO_CONFIRM)


def test_children_do_not_outlive_a_killed_parent(start_family: FamilyStarter) -> None:
    family = start_family()
    children = family.children

    kill(family.parent)

    assert len(children) == 2
    until(lambda: not survivors(children))
    until(lambda: listeners_alive() == 0)


def test_drain_ends_when_nothing_is_due(owner: User, start: CommandStarter) -> None:
    for number in range(20):
        Item.objects.capture(owner=owner, raw_text=f"{TEXT} {number}")

    process = start("enrich_listener", "--processes", "2", "--drain")

    assert process.wait(PATIENCE_SECONDS) == 0
    assert Item.objects.filter(status=Status.READY_TO_CONFIRM).count() == 20
    assert EnrichmentAttempt.objects.count() == 20


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence", "exit_code"),
    [
        (("--max-items", "5"), {}, "--max-items is for one process", 1),
        (("--worker-id", "x" * 63), {}, "--worker-id is too long", 1),
        (("--processes", "101"), {}, "must be a whole number from 1 to 100", 2),
        ((), {"LITEVAULT_LLM_PROVIDER": "litellm", "LITEVAULT_LLM_MODELS": "missing.toml"}, "LITEVAULT_LLM_MODELS", 78),
    ],
)
def test_unusable_settings_end_all_children(
    start: CommandStarter,
    tmp_path: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    sentence: str,
    exit_code: int,
) -> None:
    process = start("enrich_listener", "--processes", "2", *arguments, **environment)

    assert process.wait(PATIENCE_SECONDS) == exit_code
    output = (tmp_path / "process-0.log").read_text()
    assert sentence in output
    assert "Traceback" not in output
