"""manage.py capture: real files, a real database, and a worker that is played by a second connection."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from items.capturing.sources import Found, Piece
from items.management.commands import capture as command
from items.models import Item
from items.states import EnrichmentMode, SourceType, Status
from tests.waiting import until

PATIENCE_SECONDS = 30
ADVICE = "With --once the same can be run again, and goes on."


def capture(*arguments: object, **options: object) -> str:
    """Run the command and return its report. Raises SystemExit when something was left out."""
    report = io.StringIO()
    call_command("capture", *map(str, arguments), stdout=report, stderr=io.StringIO(), **options)
    return report.getvalue()


def capture_incompletely(*arguments: object, exit_code: int = 1) -> tuple[str, str]:
    """Run the command, check its exit code and return what it wrote to standard output and standard error."""
    report, complaints = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("capture", *map(str, arguments), stdout=report, stderr=complaints)
    assert stopped.value.code == exit_code
    return report.getvalue(), complaints.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tides.txt"
    path.write_text("Tides rise and fall.")
    return path


def give_standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))


def raw_texts() -> list[str]:
    return list(Item.objects.order_by("created_at").values_list("raw_text", flat=True))


# What goes in


def test_file_becomes_an_item_that_waits_for_enrichment(owner: User, file: Path) -> None:
    report = capture(file, "--owner", "owner")

    item = Item.objects.get()
    assert (item.owner, item.raw_text, item.status) == (owner, "Tides rise and fall.", Status.ENRICHING)
    assert report == "Captured 1 for owner.\n"


def test_standard_input_is_read_when_no_file_is_named(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, "Küstenströmung".encode())

    capture("--owner", "owner")

    assert raw_texts() == ["Küstenströmung"]


def test_dash_is_standard_input_among_files(owner: User, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, b"From a pipe.")

    capture(file, "-", "--owner", "owner")

    assert raw_texts() == ["Tides rise and fall.", "From a pipe."]


def test_each_line_becomes_an_item(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\n\ntwo\n")

    report = capture(path, "--each-line", "--owner", "owner")

    assert raw_texts() == ["one", "two"]
    assert report == "Captured 2 for owner.\nSkipped 2: 2 blank.\n"


@pytest.mark.parametrize(
    ("separator", "content"), [("---", "one\n---\ntwo"), (r"\n\n", "one\n\ntwo"), (r"\0", "one\0two")]
)
def test_each_piece_becomes_an_item(owner: User, tmp_path: Path, separator: str, content: str) -> None:
    path = tmp_path / "pieces.txt"
    path.write_text(content)

    capture(path, f"--split={separator}", "--owner", "owner")

    assert raw_texts() == ["one", "two"]


def test_without_enrichment_texts_are_archived_under_their_first_line(owner: User, file: Path) -> None:
    capture(file, "--no-enrich", "--owner", "owner")

    item = Item.objects.get()
    assert (item.status, item.enrichment_mode) == (Status.ARCHIVED, EnrichmentMode.MANUAL)
    assert (item.title, item.source_type) == ("Tides rise and fall.", SourceType.NOTE)
    assert item.confirmed_at is not None


def test_many_lines_go_in_by_batches(
    owner: User, tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number}" for number in range(2_000)))

    with django_assert_max_num_queries(20):
        capture(path, "--each-line", "--owner", "owner")

    assert Item.objects.count() == 2_000


def test_memory_does_not_grow_with_the_number_of_texts(owner: User, tmp_path: Path, settings: Settings) -> None:
    settings.DEBUG = True  # Django then remembers its queries
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number}" for number in range(3 * command.BATCH_SIZE)))

    capture(path, "--each-line", "--owner", "owner")

    remembered = sum(len(query["sql"]) for query in connection.queries_log)
    assert 0 < remembered < 2 * command.BATCH_SIZE * 300


# What does not


def test_what_is_refused_is_listed_and_the_rest_goes_in(owner: User, file: Path, tmp_path: Path) -> None:
    contents = {"blank": b" \n", "long": b"x" * 10_001, "binary": b"a\0b", "latin": b"caf\xe9"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)

    report, _ = capture_incompletely(tmp_path, tmp_path / "missing", tmp_path / "binary", "--owner", "owner")

    assert raw_texts() == ["Tides rise and fall."]
    assert report.splitlines() == [
        "Captured 1 for owner.",
        "Refused 5: 1 blank, 1 not UTF-8, 1 longer than 10,000 characters, 1 no such file, 1 binary.",
        f"  {tmp_path}/blank: blank",
        f"  {tmp_path}/latin: not UTF-8",
        f"  {tmp_path}/long: longer than 10,000 characters",
        f"  {tmp_path}/missing: no such file",
        f"  {tmp_path}/binary: binary",
        "With --cut the first 10,000 characters of a long text are captured.",
        "Skipped 1: 1 binary.",
    ]


def test_long_list_of_refused_texts_is_cut(owner: User, tmp_path: Path) -> None:
    report, _ = capture_incompletely(*(tmp_path / f"missing-{number}" for number in range(25)), "--owner", "owner")

    assert report.count(": no such file\n") == 20
    assert report.endswith("  … and 5 more\n")


def test_text_in_utf_8_that_is_too_long_can_be_cut(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("é" * 10_001)

    capture(path, "--cut", "--owner", "owner")

    assert raw_texts() == ["é" * 10_000]


def test_text_is_never_repeated_in_the_report(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"my secret caf\xe9\n" + b"x" * 10_001)

    report, complaints = capture_incompletely(path, "--each-line", "--owner", "owner")

    assert f"{path}, line 1: not UTF-8" in report
    assert "secret" not in report + complaints


# Whose it is


@pytest.mark.django_db
def test_default_owner_is_made_on_first_use_and_used_again(file: Path) -> None:
    capture(file)
    capture(file)

    demo = User.objects.get()
    assert demo.username == "demo"
    assert not demo.has_usable_password()
    assert demo.items.count() == 2


@pytest.mark.django_db
def test_other_owner_must_exist(file: Path) -> None:
    with pytest.raises(CommandError, match="There is no user nobody"):
        capture(file, "--owner", "nobody")

    assert not User.objects.exists()


@pytest.mark.django_db
def test_other_owner_is_made_while_developing(file: Path, settings: Settings) -> None:
    settings.DEBUG = True

    capture(file, "--owner", "anybody")

    assert Item.objects.get().owner.username == "anybody"


def test_owner_who_is_not_active_gets_no_items(owner: User, file: Path) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="not active"):
        capture(file, "--owner", "owner")

    assert not Item.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "\udcff"])
def test_owner_with_an_impossible_name_is_refused(file: Path, settings: Settings, name: str) -> None:
    settings.DEBUG = True

    with pytest.raises(CommandError, match="1 to 150 letters"):
        capture(file, f"--owner={name}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--timeout", "3"], "--timeout goes with --wait"),
        (["--wait", "--no-enrich"], "nothing to --wait for"),
        (["--wait", "--timeout", "-1"], "--timeout"),
        (["--wait", "--timeout", "soon"], "--timeout"),
        (["--split", ""], "at least one character"),
        (["--split", "x", "--each-line"], "not allowed with"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        capture(*arguments)


# When it is interrupted


def interrupted(*_: object, **__: object) -> Iterator[Found]:
    yield from (Piece("standard input", f"text {number}") for number in range(command.BATCH_SIZE + 3))
    raise KeyboardInterrupt


def test_batches_captured_before_an_interrupt_stay(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "texts_from", interrupted)

    report, complaints = capture_incompletely("--owner", "owner", exit_code=130)

    assert Item.objects.count() == command.BATCH_SIZE
    assert report == f"Captured {command.BATCH_SIZE} for owner.\n"
    assert complaints == f"Interrupted. What was captured before stays captured. {ADVICE}\n"


@pytest.mark.django_db(transaction=True)
def test_batches_captured_before_the_database_broke_stay(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(*_: object, **__: object) -> Iterator[Found]:
        yield from (Piece("standard input", f"text {number}") for number in range(command.BATCH_SIZE))
        with other_connection() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [backend()])
        yield Piece("standard input", "too late")

    monkeypatch.setattr(command, "texts_from", breaking)

    with pytest.raises(
        CommandError, match=r"The database does not answer\. What was captured before stays captured\. With --once"
    ):
        capture("--owner", "owner")

    connection.close()
    assert Item.objects.count() == command.BATCH_SIZE


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_capture_that_is_run_again_goes_on_where_it_stopped(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo")
    capture(path, "--each-line", "--once", "--owner", "owner")
    path.write_text("one\ntwo\nthree")

    report = capture(path, "--each-line", "--once", "--owner", "owner")

    assert sorted(raw_texts()) == ["one", "three", "two"]
    assert report == "Captured 1 for owner.\n2 were captured before.\n"


def test_equal_texts_are_one_item_when_each_is_captured_once(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\none\ntwo")

    capture(path, "--each-line", "--once", "--owner", "owner")

    assert sorted(raw_texts()) == ["one", "two"]


def test_what_another_owner_captured_once_is_still_to_be_captured(owner: User, stranger: User, file: Path) -> None:
    capture(file, "--once", "--owner", "owner")

    capture(file, "--once", "--owner", "stranger")

    assert (owner.items.count(), stranger.items.count()) == (1, 1)


def test_what_was_discarded_does_not_come_back(owner: User, file: Path) -> None:
    capture(file, "--once", "--owner", "owner")
    Item.objects.get().discard()

    capture(file, "--once", "--owner", "owner")

    assert Item.objects.get().status == Status.DISCARDED


@pytest.mark.django_db(transaction=True)
def test_capture_that_is_killed_loses_and_doubles_nothing_when_it_is_run_again(tmp_path: Path) -> None:
    lines = [f"line {number} of many that fill a buffer" * 4 for number in range(5 * command.BATCH_SIZE)]
    content = "\n".join(lines).encode()
    with start("--each-line", "--once") as killed:
        assert killed.stdin is not None
        killed.stdin.write(content[: len(content) * 2 // 3])
        killed.stdin.flush()
        until(Item.objects.exists)
        killed.kill()
        killed.wait(PATIENCE_SECONDS)
    there = Item.objects.count()

    with start("--each-line", "--once") as again:
        report, _ = again.communicate(content, timeout=PATIENCE_SECONDS)

    assert 0 < there < len(lines)
    assert f"{there:,} were captured before." in report.decode()
    assert sorted(raw_texts()) == sorted(lines)


# Waiting for the worker


def other_connection(**options: str) -> psycopg.Connection:
    parts = connection.settings_dict
    return psycopg.connect(
        host=parts["HOST"],
        port=parts["PORT"],
        user=parts["USER"],
        password=parts["PASSWORD"] or None,
        dbname=parts["NAME"],
        autocommit=True,
        **options,  # type: ignore[arg-type]  # names of libpq
    )


@contextmanager
def worker(*statements: str) -> Iterator[None]:
    """Play the worker: when items arrive, and again every moment, run these statements on a connection of its own."""
    stop = threading.Event()
    with other_connection(application_name="litevault-listener") as listening:
        listening.execute("LISTEN items_enriching")

        def work() -> None:
            while not stop.is_set():
                list(listening.notifies(timeout=0.05, stop_after=1))
                for statement in statements:
                    listening.execute(cast("psycopg.abc.QueryNoTemplate", statement))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE_SECONDS)


def verdict(raw_text: str, changes: str) -> str:
    return f"UPDATE items SET {changes} WHERE raw_text = '{raw_text}' AND status = 'ENRICHING'"


READY = "status = 'READY_TO_CONFIRM', title = 't', summary = 's', tags = '{a,b,c}', source_type = 'NOTE'"
FAILED = "status = 'FAILED', enrichment_error = 'LLM_TIMEOUT: The model did not answer in time.'"
DISCARDED = "status = 'DISCARDED'"


@pytest.fixture
def three_lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\nthree")
    return path


@pytest.mark.django_db(transaction=True)
def test_wait_ends_when_all_are_ready(owner: User, three_lines: Path) -> None:
    with worker(f"UPDATE items SET {READY} WHERE status = 'ENRICHING'"):
        report = capture(three_lines, "--each-line", "--owner", "owner", "--wait", "--timeout", PATIENCE_SECONDS)

    assert report.startswith("Captured 3 for owner.\nAfter ")
    assert report.endswith(" s: 3 ready to confirm.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_counts_every_way_out_of_enrichment(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\nthree\nfour")
    gone = "DELETE FROM items WHERE raw_text = 'four'"

    with worker(verdict("one", READY), verdict("two", FAILED), verdict("three", DISCARDED), gone):
        report, complaints = capture_incompletely(path, "--each-line", "--owner", "owner", "--wait", "--timeout", 30)

    assert report.endswith(" s: 1 ready to confirm, 1 discarded, 1 deleted, 1 failed (1 LLM_TIMEOUT).\n")
    assert complaints == ""


@pytest.mark.django_db(transaction=True)
def test_wait_gives_up_when_the_time_is_over(owner: User, three_lines: Path) -> None:
    with worker(verdict("one", READY), verdict("two", READY)):
        report, _ = capture_incompletely(three_lines, "--each-line", "--owner", "owner", "--wait", "--timeout", "1")

    assert report.endswith(" s: 2 ready to confirm, 1 still enriching.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_looks_only_at_what_it_captured(owner: User, three_lines: Path) -> None:
    Item.objects.capture(owner=owner, raw_text="older, and never finished")

    with worker(*(verdict(text, READY) for text in ("one", "two", "three"))):
        report = capture(three_lines, "--each-line", "--owner", "owner", "--wait", "--timeout", PATIENCE_SECONDS)

    assert report.endswith(" s: 3 ready to confirm.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_sees_more_items_than_it_looks_at_in_one_go(
    owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("items.capturing.watch.WINDOW", 7)
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number}" for number in range(50)))

    with worker(f"UPDATE items SET {READY} WHERE status = 'ENRICHING'"):
        report = capture(path, "--each-line", "--owner", "owner", "--wait", "--timeout", PATIENCE_SECONDS)

    assert report.endswith(" s: 50 ready to confirm.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_says_that_nobody_listens(owner: User, file: Path) -> None:
    _, complaints = capture_incompletely(file, "--owner", "owner", "--wait", "--timeout", "0.1")

    assert complaints == "No listener is running, so the items wait. Start one: manage.py enrich_listener\n"


# As a process


def start(*arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    parts = connection.settings_dict
    credentials = f"{parts['USER']}:{parts['PASSWORD']}" if parts["PASSWORD"] else parts["USER"]
    url = f"postgresql://{credentials}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "capture", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "LITEVAULT_DEBUG": "true"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


@pytest.mark.django_db(transaction=True)
def test_pipe_into_the_command_is_captured() -> None:
    process = start("--each-line", "--owner", "piper")

    report, complaints = process.communicate("één\ntwee\n".encode(), timeout=PATIENCE_SECONDS)

    assert (process.returncode, complaints) == (0, b"")
    assert report == b"Captured 2 for piper.\nSkipped 1: 1 blank.\n"
    assert raw_texts() == ["één", "twee"]


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_while_waiting_ends_cleanly(file: Path) -> None:
    with start(str(file), "--wait") as process:
        assert process.stderr is not None
        hint = process.stderr.readline()

        process.send_signal(signal.SIGINT)
        report, complaints = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert hint.startswith(b"No listener is running")
    assert report.startswith(b"Captured 1 for demo.\n")
    assert report.endswith(b" s: 1 still enriching.\n")
    assert complaints.endswith(f"Interrupted. What was captured before stays captured. {ADVICE}\n".encode())
    assert b"Traceback" not in complaints


@pytest.mark.django_db(transaction=True)
def test_reader_of_the_report_may_go_away(file: Path) -> None:
    with start(str(file)) as process:
        assert process.stdout is not None
        process.stdout.close()

        process.wait(PATIENCE_SECONDS)

        assert process.stderr is not None
        complaints = process.stderr.read()
    assert process.returncode == 0
    assert complaints == b"Standard output was closed before the report was written. The items are captured.\n"
    assert raw_texts() == ["Tides rise and fall."]


@pytest.mark.django_db(transaction=True)
def test_terminal_gets_a_progress_bar(file: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))

    with start(str(file), stderr=theirs) as process:
        process.communicate(timeout=PATIENCE_SECONDS)
        os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert process.returncode == 0
    assert re.search(rb"Capturing: 100%.* 1/1 \[[0-9:]+<[0-9:]+, +[0-9.]+ items/s\]", shown)


@pytest.mark.django_db(transaction=True)
def test_bar_tells_how_much_of_a_file_of_lines_is_done(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("zeile\n" * 100)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))

    with start(str(path), "--each-line", stderr=theirs) as process:
        process.communicate(timeout=PATIENCE_SECONDS)
        os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert b"600/600" in shown
