"""When a child is started again, and when that would not help. tests/end_to_end has the real ones."""

import asyncio
import os
import signal
import sys
from typing import Any

import pytest

from enrichment.management import processes
from enrichment.management.processes import EXIT_MISCONFIGURED, ListenerProcesses
from tests.enrichment.waiting import until

PAUSE_SECONDS = 0.02
WAITING = "import signal; signal.pause()"


def ending(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def waiting() -> list[str]:
    """It has no handler, as a listener that is being started."""
    return [sys.executable, "-c", WAITING]


def said(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"] == event]


async def until_said(caplog: pytest.LogCaptureFixture, event: str, *, times: int) -> None:
    await until(lambda: len(said(caplog, event)) >= times)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FIRST_PAUSE_SECONDS", PAUSE_SECONDS)


async def test_child_that_keeps_dying_is_started_ever_less_often(caplog: pytest.LogCaptureFixture) -> None:
    running = asyncio.create_task(ListenerProcesses([ending(3)], exits_when_idle=False).run())

    await until_said(caplog, "process.ended", times=4)
    os.kill(os.getpid(), signal.SIGTERM)
    await running

    ends = said(caplog, "process.ended")[:4]
    assert [end["again_in_seconds"] for end in ends] == [PAUSE_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert {end["exit_code"] for end in ends} == {3}


async def test_child_that_lived_long_is_started_again_soon(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "HEALTHY_AFTER_SECONDS", 0)
    running = asyncio.create_task(ListenerProcesses([ending(3)], exits_when_idle=False).run())

    await until_said(caplog, "process.ended", times=3)
    os.kill(os.getpid(), signal.SIGTERM)
    await running

    assert {end["again_in_seconds"] for end in said(caplog, "process.ended")} == {PAUSE_SECONDS}


async def test_what_one_child_cannot_work_with_ends_all(caplog: pytest.LogCaptureFixture) -> None:
    family = ListenerProcesses([ending(EXIT_MISCONFIGURED), waiting()], exits_when_idle=False)

    code = await asyncio.wait_for(family.run(), timeout=20)

    assert code == EXIT_MISCONFIGURED
    assert not said(caplog, "process.ended")


@pytest.mark.parametrize(("codes", "exit_code"), [((0, 0), 0), ((0, 3), 3), ((4, 0), 4)])
async def test_idle_children_are_not_replaced_and_the_first_bad_end_is_reported(
    caplog: pytest.LogCaptureFixture, codes: tuple[int, int], exit_code: int
) -> None:
    family = ListenerProcesses([ending(code) for code in codes], exits_when_idle=True)

    code = await asyncio.wait_for(family.run(), timeout=20)

    assert code == exit_code
    assert len(said(caplog, "process.started")) == 2


async def test_stop_while_children_are_being_started_is_a_stop_in_good_order(caplog: pytest.LogCaptureFixture) -> None:
    running = asyncio.create_task(ListenerProcesses([waiting(), waiting()], exits_when_idle=False).run())
    await until_said(caplog, "process.started", times=2)

    os.kill(os.getpid(), signal.SIGTERM)

    assert await asyncio.wait_for(running, timeout=20) == 0
