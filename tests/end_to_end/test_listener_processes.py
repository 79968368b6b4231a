"""`enrich_listener --processes`: several listeners that one signal stops, none of which is missing for long."""

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

    def times_it_said(self, event: str) -> int:
        return self.parent.log.read_text().count(event)

    def until_all_listen(self, count: int) -> None:
        until(lambda: self.times_it_said("listener.connected") >= count or self.parent.poll() is not None)
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
        family.until_all_listen(2)
        return family

    yield start_family
    for family in families:
        if family.parent.poll() is None:
            orphans = family.children
            kill(family.parent)
            for process in orphans:
                kill(process)


def slow(seconds: float) -> tuple[str, ...]:
    """A listener whose provider takes so long for each item."""
    return ("-m", "tests.faults.slow_listener", str(seconds))


ONE_AT_A_TIME = {"LITEVAULT_LLM_CONCURRENCY": "1", "LITEVAULT_ENRICH_GRACE_SECONDS": "600"}


def until_both_are_busy(owner: User) -> None:
    """Each takes one, and one ahead."""
    Item.objects.capture_many(owner=owner, raw_texts=[f"{TEXT} {number}" for number in range(4)])
    until(lambda: Item.objects.exclude(claimed_by=None).count() == 4)


@pytest.fixture
def busy_family(owner: User, start_family: FamilyStarter) -> Family:
    """Each child waits for an answer that takes longer than any test."""
    family = start_family("--worker-id", "crew", program=slow(600), **ONE_AT_A_TIME)
    until_both_are_busy(owner)
    return family


def test_all_of_the_children_work_each_under_a_name_of_its_own(busy_family: Family) -> None:
    workers = Item.objects.values_list("claimed_by", flat=True)

    assert set(workers) == {"crew.1", "crew.2"}


def test_children_of_no_given_name_are_told_apart(owner: User, start_family: FamilyStarter) -> None:
    start_family(program=slow(600), **ONE_AT_A_TIME)

    until_both_are_busy(owner)

    assert Item.objects.values("claimed_by").distinct().count() == 2


def test_only_the_children_carry_the_model_libraries(start_family: FamilyStarter) -> None:
    family = start_family(LITEVAULT_LLM_PROVIDER="litellm", OPENAI_API_KEY="sk-test")

    own = psutil.Process(family.parent.pid).memory_info().rss

    assert own < min(child.memory_info().rss for child in family.children) / 2


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_stops_all_of_an_idle_family(start_family: FamilyStarter, signal_number: int) -> None:
    family = start_family(LITEVAULT_ENRICH_GRACE_SECONDS="600")
    children = family.children

    family.parent.send_signal(signal_number)

    assert family.parent.wait(PATIENCE_SECONDS) == 0
    assert len(children) == 2
    assert not survivors(children)
    assert listeners_alive() == 0


def test_first_signal_lets_every_call_finish(owner: User, start_family: FamilyStarter) -> None:
    family = start_family(program=slow(1), **ONE_AT_A_TIME)
    until_both_are_busy(owner)

    family.parent.send_signal(signal.SIGTERM)

    assert family.parent.wait(PATIENCE_SECONDS) == 0
    assert set(Item.objects.values_list("status", flat=True)) == {Status.READY_TO_CONFIRM}
    assert set(EnrichmentAttempt.objects.values_list("outcome", flat=True)) == {Outcome.SUCCEEDED}


def test_second_signal_gives_back_what_all_have_in_flight(busy_family: Family) -> None:
    busy_family.parent.send_signal(signal.SIGTERM)
    until(lambda: busy_family.times_it_said("worker.draining") == 2)
    busy_family.parent.send_signal(signal.SIGTERM)

    assert busy_family.parent.wait(PATIENCE_SECONDS) == 0
    assert set(Item.objects.values_list("status", "claimed_by", "attempt_count")) == {(Status.ENRICHING, None, 0)}
    assert set(EnrichmentAttempt.objects.values_list("outcome", flat=True)) == {Outcome.RELEASED}


def test_third_signal_ends_also_what_does_not_listen_any_more(busy_family: Family) -> None:
    children = busy_family.children
    frozen = children[0]
    frozen.suspend()

    busy_family.parent.send_signal(signal.SIGTERM)
    until(lambda: busy_family.times_it_said("worker.draining") == 1)
    busy_family.parent.send_signal(signal.SIGTERM)
    until(lambda: busy_family.times_it_said("worker.stopped") == 1)
    busy_family.parent.send_signal(signal.SIGTERM)

    assert busy_family.parent.wait(PATIENCE_SECONDS) == 70
    assert not survivors(children)


def test_child_that_is_killed_is_replaced_and_the_other_goes_on(owner: User, start_family: FamilyStarter) -> None:
    family = start_family()
    victim, other = family.children

    kill(victim)

    family.until_all_listen(3)
    assert other in family.children
    assert len(family.children) == 2
    assert "exit_code=137" in family.parent.log.read_text()
    reaches(Item.objects.capture(owner=owner, raw_text=TEXT), Status.READY_TO_CONFIRM)


def test_children_do_not_outlive_a_parent_that_is_killed(start_family: FamilyStarter) -> None:
    family = start_family()
    children = family.children

    kill(family.parent)

    assert len(children) == 2
    until(lambda: not survivors(children))
    until(lambda: listeners_alive() == 0)


def test_drain_ends_when_nothing_is_due_for_any(owner: User, start: CommandStarter) -> None:
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
        ((), {"LITEVAULT_LLM_PROVIDER": "litellm", "OPENAI_API_KEY": ""}, "OPENAI_API_KEY", 78),
    ],
)
def test_what_no_child_could_work_with_ends_all(
    start: CommandStarter,
    tmp_path: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    sentence: str,
    exit_code: int,
) -> None:
    process = start("enrich_listener", "--processes", "2", *arguments, **environment)

    assert process.wait(PATIENCE_SECONDS) == exit_code
    said = (tmp_path / "process-0.log").read_text()
    assert sentence in said
    assert "Traceback" not in said
