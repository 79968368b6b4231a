"""Waiting for the worker, which a second connection simulates."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psycopg
import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.queue import LISTENER_NAME
from tests.items.other_connection import other_connection
from tests.items.transfer.commands import PATIENCE_SECONDS, capture, capture_incompletely


@contextmanager
def worker(*statements: str) -> Iterator[None]:
    """Simulate a worker: run these statements at each notification, and every 50 ms."""
    stop = threading.Event()
    with other_connection(name=LISTENER_NAME) as listening:
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


@pytest.mark.django_db(transaction=True)
def test_wait_ends_when_all_are_ready(owner: User, three_lines: Path) -> None:
    with worker(f"UPDATE items SET {READY} WHERE status = 'ENRICHING'"):
        summary = capture(three_lines, "--each-line", "--owner", "owner", "--wait", "--timeout", PATIENCE_SECONDS)

    assert summary.startswith("Captured 3 for owner.\nAfter ")
    assert summary.endswith(" s: 3 ready to confirm.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_counts_every_status(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\nthree\nfour")
    gone = "DELETE FROM items WHERE raw_text = 'four'"

    with worker(verdict("one", READY), verdict("two", FAILED), verdict("three", DISCARDED), gone):
        summary, errors = capture_incompletely(path, "--each-line", "--owner", "owner", "--wait", "--timeout", 30)

    assert summary.endswith(" s: 1 ready to confirm, 1 discarded, 1 deleted, 1 failed (1 LLM_TIMEOUT).\n")
    assert errors == ""


@pytest.mark.django_db(transaction=True)
def test_wait_ends_at_the_timeout(owner: User, three_lines: Path) -> None:
    with worker(verdict("one", READY), verdict("two", READY)):
        summary, _ = capture_incompletely(three_lines, "--each-line", "--owner", "owner", "--wait", "--timeout", "1")

    assert summary.endswith(" s: 2 ready to confirm, 1 still enriching.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_ignores_other_items(owner: User, three_lines: Path) -> None:
    Item.objects.capture(owner=owner, raw_text="older, and never finished")

    with worker(*(verdict(text, READY) for text in ("one", "two", "three"))):
        summary = capture(three_lines, "--each-line", "--owner", "owner", "--wait", "--timeout", PATIENCE_SECONDS)

    assert summary.endswith(" s: 3 ready to confirm.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_polls_more_items_than_its_window(owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("items.transfer.progress.WINDOW", 7)
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number}" for number in range(50)))

    with worker(f"UPDATE items SET {READY} WHERE status = 'ENRICHING'"):
        summary = capture(path, "--each-line", "--owner", "owner", "--wait", "--timeout", PATIENCE_SECONDS)

    assert summary.endswith(" s: 50 ready to confirm.\n")


@pytest.mark.django_db(transaction=True)
def test_wait_says_that_no_worker_is_running(owner: User, file: Path) -> None:
    _, errors = capture_incompletely(file, "--owner", "owner", "--wait", "--timeout", "0.1")

    assert errors == "No worker is running, so the items wait. Start one: manage.py enrich_listener\n"
