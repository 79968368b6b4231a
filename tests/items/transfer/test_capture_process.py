"""capture as a process, with pipes, Ctrl-C and a terminal."""

import os
import pty
import re
import signal
import termios
from pathlib import Path

import pytest

from tests.items.transfer.commands import ADVICE, PATIENCE_SECONDS, raw_texts, start


@pytest.mark.django_db(transaction=True)
def test_piped_text_is_captured() -> None:
    process = start("capture", "--each-line", "--owner", "piper")

    summary, errors = process.communicate("één\ntwee\n".encode(), timeout=PATIENCE_SECONDS)

    assert (process.returncode, errors) == (0, b"")
    assert summary == b"Captured 2 for piper.\nSkipped 1: 1 blank.\n"
    assert raw_texts() == ["één", "twee"]


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_while_waiting_exits_cleanly(file: Path) -> None:
    with start("capture", str(file), "--wait") as process:
        assert process.stderr is not None
        hint = process.stderr.readline()

        process.send_signal(signal.SIGINT)
        summary, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert hint.startswith(b"No worker is running")
    assert summary.startswith(b"Captured 1 for demo.\n")
    assert summary.endswith(b" s: 1 still enriching.\n")
    assert errors.endswith(f"Interrupted. Everything captured so far is kept. {ADVICE}\n".encode())
    assert b"Traceback" not in errors


@pytest.mark.django_db(transaction=True)
def test_reader_of_a_capture_summary_may_go_away(file: Path) -> None:
    with start("capture", str(file)) as process:
        assert process.stdout is not None
        process.stdout.close()

        process.wait(PATIENCE_SECONDS)

        assert process.stderr is not None
        errors = process.stderr.read()
    assert process.returncode == 0
    assert errors == b"Standard output was closed before the summary was written. The captured items are kept.\n"
    assert raw_texts() == ["Tides rise and fall."]


@pytest.mark.django_db(transaction=True)
def test_terminal_gets_a_progress_bar(file: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))

    with start("capture", str(file), stderr=theirs) as process:
        process.communicate(timeout=PATIENCE_SECONDS)
        os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert process.returncode == 0
    assert re.search(rb"Capturing: 100%.* 1/1 \[[0-9:]+<[0-9:]+, +[0-9.]+ items/s\]", shown)


@pytest.mark.django_db(transaction=True)
def test_progress_bar_counts_the_bytes_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("zeile\n" * 100)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))

    with start("capture", str(path), "--each-line", stderr=theirs) as process:
        process.communicate(timeout=PATIENCE_SECONDS)
        os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert b"600/600" in shown
