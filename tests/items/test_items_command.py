"""`manage.py items`: what it lists, changes, asks and refuses."""

import io
import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from items.models import AuditEvent, Item
from items.states import Action, Status
from tests.items.factories import make_attempt, make_item

RATE = "LLM_RATE_LIMITED: The provider is busy."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Ran:
    """What a command wrote, and its exit code."""

    def __init__(self, *arguments: object) -> None:
        out, error = io.StringIO(), io.StringIO()
        self.code = 0
        try:
            call_command("items", *map(str, arguments), stdout=out, stderr=error)
        except SystemExit as ended:
            self.code = int(ended.code or 0)
        except CommandError as refused:
            self.code, error = refused.returncode, io.StringIO(str(refused))
        self.out, self.error = out.getvalue(), error.getvalue()

    @property
    def record(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def without_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


def ids_of(record: Any) -> list[str]:
    return [item["id"] for item in record["items"]]


def test_list_shows_newest_first_with_errors_and_titles(owner: User, stranger: User) -> None:
    make_item(owner, status=Status.FAILED)
    make_item(stranger, status=Status.READY_TO_CONFIRM, title="What vacuum does")

    lines = Ran("list").out.splitlines()

    assert lines[0].split()[:2] == ["ID", "STATUS"]
    assert lines[1].endswith("stranger  What vacuum does")
    assert "LLM_TIMEOUT: " in lines[2]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--status", "FAILED"), {"old", "busy", "theirs"}),
        (("--status", "ready-to-confirm"), {"ready"}),
        (("--code", "LLM_TIMEOUT"), {"old", "theirs"}),
        (("--reason", "timed-out"), {"old", "theirs"}),
        (("--owner", "owner"), {"old", "busy", "ready"}),
        (("--before", "5d"), {"old"}),
        (("--before", "2020-01-01"), set()),
        (("--status", "FAILED", "--owner", "owner", "--code", "LLM_RATE_LIMITED"), {"busy"}),
        (("--limit", "1"), {"theirs"}),
    ],
)
def test_filters_narrow_the_list(owner: User, stranger: User, arguments: tuple[str, ...], found: set[str]) -> None:
    items = {
        "old": make_item(owner, status=Status.FAILED, created_at=timezone.now() - timedelta(days=9)),
        "busy": make_item(owner, status=Status.FAILED, enrichment_error=RATE, error_reason="RATE_LIMITED"),
        "ready": make_item(owner, status=Status.READY_TO_CONFIRM),
        "theirs": make_item(stranger, status=Status.FAILED),
    }

    ran = Ran("list", "--json", *arguments)

    assert set(ids_of(ran.record)) == {str(items[name].pk) for name in found}
    assert ran.code == 0


def test_list_says_how_many_more_there_are(owner: User) -> None:
    for _ in range(3):
        make_item(owner)

    ran = Ran("list", "--limit", "2")

    assert len(ran.out.splitlines()) == 3
    assert ran.error == "The newest 2 of 3 items. --limit shows more.\n"


def test_items_in_json_have_the_names_of_the_api(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    make_attempt(item, outcome="FAILED")

    (listed,) = Ran("list", "--json").record["items"]
    (shown,) = Ran("show", item.pk, "--json").record["items"]

    assert listed.items() <= shown.items()
    assert "rawText" not in listed
    assert (shown["rawText"], shown["owner"]) == (item.raw_text, "owner")
    assert shown["attempts"][0]["errorCode"] == "LLM_TIMEOUT"


def test_text_cannot_control_the_terminal(owner: User) -> None:
    item = make_item(
        owner, status=Status.READY_TO_CONFIRM, raw_text="red \x1b[31m\nleft \u202e\n日本", title="日本 café"
    )

    ran, document = Ran("show", item.pk), Ran("show", item.pk, "--json")

    assert "    red \\x1b[31m\n    left \\u202e\n    日本\n" in ran.out
    assert "日本 café" in ran.out
    assert not {"\x1b", "\u202e"} & {*ran.out, *document.out}
    assert document.record["items"][0]["rawText"] == item.raw_text


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        (Action.RETRY, Status.FAILED, Status.ENRICHING),
        (Action.CONFIRM, Status.READY_TO_CONFIRM, Status.ARCHIVED),
        (Action.DISCARD, Status.FAILED, Status.DISCARDED),
        (Action.REDRAFT, Status.READY_TO_CONFIRM, Status.ENRICHING),
    ],
)
def test_action_on_one_id_needs_no_question(owner: User, action: Action, before: Status, after: Status) -> None:
    item, other = make_item(owner, status=before), make_item(owner, status=before)

    ran = Ran(action, item.pk)

    item.refresh_from_db()
    other.refresh_from_db()
    assert (ran.code, item.status, other.status) == (0, after, before)
    event = AuditEvent.objects.filter(object_id=str(item.pk)).get()
    assert (event.action, event.via) == (action, "command")


def test_discard_is_taken_back_by_restore(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    Ran("discard", item.pk)

    ran = Ran("restore", item.pk, "--json")

    item.refresh_from_db()
    assert (item.status, ran.record["changed"]) == (Status.READY_TO_CONFIRM, 1)


def test_filter_is_refused_without_terminal_and_yes(owner: User) -> None:
    for _ in range(3):
        make_item(owner, status=Status.FAILED)

    ran = Ran("retry", "--status", "FAILED")

    assert (ran.code, Item.objects.failed().count()) == (1, 3)
    assert ran.error == "Nothing was changed. Add --yes to retry 3 items without a question."


@pytest.mark.parametrize(("typed", "left", "code"), [("y\n", 0, 0), ("n\n", 3, 1), ("", 3, 1)])
def test_question_names_the_number_of_items(owner: User, answer: Any, typed: str, left: int, code: int) -> None:
    for _ in range(3):
        make_item(owner, status=Status.FAILED)
    answer(typed)

    ran = Ran("retry", "--code", "LLM_TIMEOUT")

    assert (ran.code, Item.objects.failed().count()) == (code, left)
    assert ("Retry 3 items? [y/N] " in ran.error) == (code == 0)


def test_limit_changes_only_the_oldest(owner: User) -> None:
    items = [
        make_item(owner, status=Status.FAILED, created_at=timezone.now() - timedelta(hours=hours))
        for hours in (1, 3, 2)
    ]

    ran = Ran("discard", "--status", "FAILED", "--limit", "2", "--yes")

    assert ran.out == "2 items discarded.\n"
    assert list(Item.objects.failed()) == [items[0]]


def test_large_retry_is_spread_over_minutes(owner: User) -> None:
    error = {"status": Status.FAILED, "enrichment_error": RATE}
    Item.objects.bulk_create([Item(owner=owner, raw_text="Beans", **error) for _ in range(700)])

    ran = Ran("retry", "--owner", "owner", "--yes")

    assert ran.out == "700 items sent back to enrichment. 300 are due now, the others 300 a minute.\n"
    assert Item.objects.filter(available_at__gt=timezone.now() + timedelta(seconds=90)).count() == 100


def test_refused_and_unknown_ids_are_exit_code_1(owner: User) -> None:
    ready, failed, nowhere = (
        make_item(owner, status=Status.READY_TO_CONFIRM),
        make_item(owner, status=Status.FAILED),
        uuid4(),
    )

    refused = Ran("retry", ready.pk, failed.pk, "--yes", "--json")
    unknown = Ran("show", nowhere, failed.pk)

    assert (refused.code, refused.record) == (1, {"action": "retry", "changed": 1, "refused": 1})
    assert "1 item refused: only items with the status “Failed” can be" in refused.error
    assert (unknown.code, unknown.error) == (1, f"There is no item {nowhere}.\n")
    assert str(failed.pk) in unknown.out


def test_action_without_ids_and_filters_is_refused(owner: User) -> None:
    item = make_item(owner)

    ran = Ran("discard", "--yes")

    item.refresh_from_db()
    assert (ran.code, item.status) == (1, Status.ENRICHING)
    assert "Choose items" in ran.error


@pytest.mark.parametrize("name", ["status", "code", "reason", "owner", "before"])
@pytest.mark.parametrize("value", ["", " "])
def test_blank_filter_does_not_mean_all_items(owner: User, name: str, value: str) -> None:
    make_item(owner, status=Status.FAILED)

    ran = Ran("discard", f"--{name}={value}", "--yes")

    assert ran.code == 1
    assert Item.objects.failed().count() == 1


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        (("retyr",), "Did you mean retry"),
        (("list", "--status", "faild"), "Did you mean FAILED?"),
        (("list", "--reason", "timedout"), "Did you mean TIMED_OUT?"),
        (("list", "--owner", "ownr"), "Did you mean owner?"),
        (("list", "--code", "LLM_TIMOUT"), "Did you mean LLM_TIMEOUT?"),
        (("discard", "--code", "LLM_TIMOUT", "--yes"), "Did you mean LLM_TIMEOUT?"),
    ],
)
def test_misspelled_name_gets_a_suggestion(owner: User, arguments: tuple[str, ...], suggested: str) -> None:
    make_item(owner, status=Status.FAILED)

    ran = Ran(*arguments)

    assert suggested in ran.out + ran.error
    assert Item.objects.failed().count() == 1


@pytest.mark.parametrize("arguments", [("list", "-v", "0"), ("-v", "0", "list")])
def test_quiet_list_has_no_advice(owner: User, arguments: tuple[str, ...]) -> None:
    ran = Ran(*arguments)

    assert (ran.code, ran.out, ran.error) == (0, "", "")


def test_quiet_action_prints_nothing(owner: User) -> None:
    ran = Ran("retry", make_item(owner, status=Status.FAILED).pk, "-v", "0")

    assert (ran.code, ran.out, ran.error) == (0, "", "")
