"""When the supervisor restarts a child. tests/end_to_end/test_listener_processes.py runs real listeners."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from enrichment.management import supervisor
from enrichment.management.supervisor import EXIT_MISCONFIGURED, Program, Supervisor
from postgres.backoff import Backoff
from tests.waiting import until

PAUSE_SECONDS = 0.02
# No handler, as in a listener that is still starting.
WAITING = "import signal; signal.pause()"


def ending(code: int) -> str:
    return f"raise SystemExit({code})"


def run(*codes: str, exits_when_idle: bool = False) -> int:
    programs = [Program(name="sample", command=[sys.executable, "-c", code]) for code in codes]
    with Supervisor(programs) as running:
        return running.keep_running(exits_when_idle=exits_when_idle)


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"] == event]


@contextmanager
def signalled(
    caplog: pytest.LogCaptureFixture, *, after: str, times: int, signs: Sequence[int] = (signal.SIGTERM,)
) -> Iterator[None]:
    """Signal this process once an event has been logged so many times."""

    def send() -> None:
        try:
            until(lambda: len(logged(caplog, after)) >= times)
        finally:
            for sign in signs:
                os.kill(os.getpid(), sign)

    thread = threading.Thread(target=send)
    thread.start()
    yield
    thread.join()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF", Backoff(first_seconds=PAUSE_SECONDS, longest_seconds=60))


def test_pauses_double_while_a_child_keeps_failing(caplog: pytest.LogCaptureFixture) -> None:
    with signalled(caplog, after="process.ended", times=4):
        run(ending(3))

    ends = logged(caplog, "process.ended")[:4]
    assert [end["again_in_seconds"] for end in ends] == [PAUSE_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert {end["exit_code"] for end in ends} == {3}


def test_pause_is_short_after_a_child_that_ran_long(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "HEALTHY_AFTER_SECONDS", 0)

    with signalled(caplog, after="process.ended", times=3):
        run(ending(3))

    assert {end["again_in_seconds"] for end in logged(caplog, "process.ended")} == {PAUSE_SECONDS}


def test_stop_during_a_pause_is_clean(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF", Backoff(first_seconds=600, longest_seconds=600))

    with signalled(caplog, after="process.ended", times=1):
        code = run(ending(3))

    assert code == 0


def test_misconfigured_child_ends_all(caplog: pytest.LogCaptureFixture) -> None:
    code = run(ending(EXIT_MISCONFIGURED), WAITING)

    assert code == EXIT_MISCONFIGURED
    assert not logged(caplog, "process.ended")


@pytest.mark.parametrize(("codes", "exit_code"), [((0, 0), 0), ((0, 3), 3), ((4, 0), 4)])
def test_idle_children_are_not_restarted(
    caplog: pytest.LogCaptureFixture, codes: tuple[int, int], exit_code: int
) -> None:
    code = run(*map(ending, codes), exits_when_idle=True)

    assert code == exit_code
    assert len(logged(caplog, "process.started")) == 2


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_stop_while_children_start_is_clean(caplog: pytest.LogCaptureFixture, sign: signal.Signals) -> None:
    with signalled(caplog, after="process.started", times=2, signs=[sign]):
        code = run(WAITING, WAITING)

    assert code == 0
