"""Programs that run as one: their output, and how they end. test_restarts.py covers restarts."""

import io
import os
import signal
import subprocess
import sys
import threading

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest

from enrichment.management.supervisor import STOP_SIGNALS, STOP_STEPS, Child, Program, Supervisor
from tests.processes import survivors
from tests.waiting import until

WAITING = "import signal; print('ready', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITING
# Blocked signals wait until they are asked for, so that none is missed between two lines.
SECOND_SIGNAL = (
    "import signal; asked = {signal.SIGTERM}; signal.pthread_sigmask(signal.SIG_BLOCK, asked);"
    "print('ready', flush=True); signal.sigwait(asked); print('first', flush=True);"
    "signal.sigwait(asked); print('second', flush=True)"
)
WITH_A_CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('child', child.pid, flush=True); child.wait()"
)


def program(code: str, *, name: str = "sample") -> Program:
    return Program(name=name, command=[sys.executable, "-c", code], colour=36)


def shows(capfd: pytest.CaptureFixture[str], words: str, seen: list[str]) -> bool:
    seen.append(capfd.readouterr().out)
    return words in "".join(seen)


def test_each_line_is_prefixed_with_its_program(capfd: pytest.CaptureFixture[str]) -> None:
    with Supervisor([program("print('one\\ntwo')", name="web")]) as supervisor:
        supervisor.first_event()

    assert capfd.readouterr().out == "web      │ one\nweb      │ two\n"


def test_names_are_coloured_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    with Supervisor([program("print('one')")]) as supervisor:
        supervisor.first_event()

    assert capsys.readouterr().out == "\033[36msample   │ \033[0mone\n"


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("raise SystemExit(7)", 7), ("pass", 0), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137)],
)
def test_ended_child_is_reported_with_its_exit_code(code: str, exit_code: int) -> None:
    with Supervisor([program(code, name="ending"), program(WAITING, name="waiting")]) as supervisor:
        event = supervisor.first_event()

    assert isinstance(event, Child)
    assert (event.name, event.exit_code) == ("ending", exit_code)
    assert [child.process.poll() is None for child in supervisor.children] == [False, False]


@pytest.mark.parametrize("sign", STOP_SIGNALS)
def test_request_to_stop_is_an_event(sign: signal.Signals) -> None:
    with Supervisor([program(WAITING)]) as supervisor:
        os.kill(os.getpid(), sign)

        assert supervisor.first_event() is sign


@pytest.mark.parametrize(("handler", "names"), [("SIG_DFL", "SIGINT SIGTERM SIGHUP"), ("SIG_IGN", "SIGINT SIGTERM")])
def test_sighup_stays_ignored_under_nohup(handler: str, names: str) -> None:
    code = (
        f"import signal; signal.signal(signal.SIGHUP, signal.{handler});"
        "from enrichment.management.supervisor import STOP_SIGNALS; print(*(sign.name for sign in STOP_SIGNALS))"
    )

    output = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert output.strip() == names


def test_former_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Supervisor([]):
        assert signal.getsignal(signal.SIGINT) != before

    assert signal.getsignal(signal.SIGINT) == before


def test_child_that_keeps_running_gets_a_second_sigterm(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    with Supervisor([program(SECOND_SIGNAL)]) as supervisor:
        until(lambda: shows(capfd, "ready", seen))

    assert "first" in (output := capfd.readouterr().out)
    assert "second" in output
    assert supervisor.children[0].exit_code == 0


def test_child_that_ignores_sigterm_is_killed_in_five_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []
    with Supervisor([program(STUBBORN)]) as supervisor:
        until(lambda: shows(capfd, "ready", seen))

    assert sum(seconds for _, seconds in STOP_STEPS) < 5
    assert supervisor.children[0].exit_code == 128 + signal.SIGKILL


def test_children_of_a_killed_child_end_too(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []
    with Supervisor([program(WITH_A_CHILD)]) as supervisor:
        until(lambda: shows(capfd, "child ", seen))
        grandchild = psutil.Process(int("".join(seen).split()[-1]))
        supervisor.children[0].process.kill()
        supervisor.first_event()

    until(lambda: not survivors([grandchild]))


def test_program_that_cannot_start_stops_the_others() -> None:
    missing = Program(name="missing", command=["/no/such/program"])
    supervisor = Supervisor([program(WAITING), missing])

    with pytest.raises(FileNotFoundError), supervisor:
        pass

    assert [child.process.poll() is None for child in supervisor.children] == [False]


def test_wait_ends_when_the_condition_holds() -> None:
    with Supervisor([program(WAITING)]) as supervisor:
        answers = iter([False, False, True])

        assert supervisor.first_event(or_when=lambda: next(answers), within=60) is None


def test_wait_for_a_condition_times_out() -> None:
    with Supervisor([program(WAITING)]) as supervisor, pytest.raises(TimeoutError):
        supervisor.first_event(or_when=lambda: False, within=0.01)


def test_unread_output_does_not_block_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    class ClosedTerminal(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    monkeypatch.setattr(sys, "stdout", ClosedTerminal())

    with Supervisor([program("print('many lines\\n' * 100_000); raise SystemExit(3)")]) as supervisor:
        event = supervisor.first_event()

    assert isinstance(event, Child)
    assert event.exit_code == 3


def test_no_thread_is_left() -> None:
    before = threading.active_count()

    with Supervisor([program("pass")]) as supervisor:
        supervisor.first_event()

    assert threading.active_count() == before
