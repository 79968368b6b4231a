import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from items.models import Item
from items.states import TRANSITIONS, Action, Outcome, Status
from tests.items.admin.pages import LIST, detail, form_of, messages, verb
from tests.items.factories import make_attempt, make_item

EDITABLE = [status for status in Status if Action.EDIT in TRANSITIONS[status]]
BUTTONS = {
    Action.RETRY: ">Retry</button>",
    Action.CONFIRM: ">Confirm</button>",
    Action.REDRAFT: ">Draft again</button>",
    Action.RESTORE: ">Restore</button>",
    Action.DISCARD: ">Discard…</a>",
}
DASH = "\N{EN DASH}"
NEW_DRAFT = {
    "title": "A better title",
    "summary": "A better summary.\r\nOn two lines.",
    "tags": "Two  Words\r\none\r\none",
}


@pytest.mark.parametrize("status", Status)
def test_page_has_exactly_the_buttons_that_the_status_allows(reviewer: Client, owner: User, status: Status) -> None:
    item = make_item(owner, status=status)

    page = reviewer.get(detail(item)).text

    allowed = item.allowed_actions
    assert {action for action, button in BUTTONS.items() if button in page} == set(allowed) - {Action.EDIT}
    assert ('name="_save"' in page) == (Action.EDIT in allowed)


@pytest.mark.parametrize("status", Status)
def test_only_title_summary_and_tags_can_be_edited(reviewer: Client, owner: User, status: Status) -> None:
    item = make_item(owner, status=status)

    page = reviewer.get(detail(item)).text

    form = page[page.index('id="item_form"') :]
    inputs = set(re.findall(r'<(?:input|textarea|select)[^>]* name="(\w+)"', form)) - {"csrfmiddlewaretoken"}
    draft = {"title", "summary", "tags", "seen_at", "_save", "_continue"}
    assert inputs == (draft if status in EDITABLE else set())


def test_text_is_shown_and_escaped(reviewer: Client, owner: User) -> None:
    item = make_item(owner, raw_text="\n<b>bold</b> & more\n")

    page = reviewer.get(detail(item)).text

    assert "\n\n&lt;b&gt;bold&lt;/b&gt; &amp; more\n</pre>" in page
    assert "<b>bold" not in page


def test_title_with_html_is_escaped_on_pages_and_in_messages(reviewer: Client, owner: User) -> None:
    script = "<script>alert(1)</script>"
    item = make_item(owner, status=Status.READY_TO_CONFIRM, title=script, summary=script, tags=[script])

    pages = [
        reviewer.get(detail(item)),
        reviewer.get(verb(item, "discard")),
        reviewer.post(detail(item), form_of(reviewer, item) | {"_save": ""}, follow=True),
        reviewer.get(f"{LIST}{item.pk}/history/"),
    ]

    assert all("<script>alert(1)" not in page.text for page in pages)
    assert all("&lt;script&gt;alert(1)" in page.text for page in pages)


def test_attempts_are_listed_with_totals(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    usage: dict[str, Any] = {
        "model": "openai/some-model",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost_usd": Decimal("0.0005"),
    }
    make_attempt(item, number=1, outcome=Outcome.FAILED, worker="worker-a")
    make_attempt(item, number=2, worker="worker-b", **usage)
    make_attempt(item, number=3, worker="worker-b", **usage)

    page = reviewer.get(detail(item)).text

    rows = [re.findall(r">([^<>\n]+)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)]
    (first, second, _, sums) = rows[-4:]
    assert first[2:6] == ["500 ms", "Failed", "LLM_TIMEOUT: TIMED_OUT", DASH]
    assert second[2:] == ["500 ms", "Succeeded", DASH, "openai/some-model", "100", "20", "$0.000500", "worker-b"]
    assert sums == ["All 3", "1500 ms", "200", "40", "$0.001000"]


def test_attempt_shows_that_tags_were_filled(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    make_attempt(item, number=1, outcome=Outcome.STALE)
    make_attempt(item, number=2, tags_filled=True)

    page = reviewer.get(detail(item)).text

    assert page.count("Succeeded, tags filled</td>") == page.count("tags filled") == 1


def test_cost_of_an_attempt_without_a_price_is_unknown(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    make_attempt(item, number=1, prompt_tokens=100, completion_tokens=20)
    make_attempt(item, number=2, prompt_tokens=0, completion_tokens=0)

    page = reviewer.get(detail(item)).text

    rows = [re.findall(r">([^<>\n]+)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)]
    assert [row[-2] for row in rows[-3:-1]] == ["unknown", DASH]
    assert rows[-1][-1] == "unknown"


def test_attempts_show_wait_and_duration(reviewer: Client, owner: User) -> None:
    start = timezone.now() - timedelta(hours=1)
    item = make_item(owner, status=Status.READY_TO_CONFIRM, created_at=start)
    for number, (begun, took) in enumerate([(20, 4), (54, 2), (56, 1)], start=1):
        started_at = start + timedelta(seconds=begun)
        make_attempt(item, number=number, started_at=started_at, finished_at=started_at + timedelta(seconds=took))

    page = reviewer.get(detail(item)).text

    assert re.findall(r'data-label="Waited"[^>]*>(\d+ m?s)</td>', page) == ["20 s", "30 s", "0 ms"]
    assert re.findall(r'<rect width="(\d+)"', page) == ["100", "50", "25"]


@pytest.mark.parametrize("status", EDITABLE)
def test_edit_is_saved_and_normalised(reviewer: Client, owner: User, status: Status) -> None:
    item = make_item(owner, status=status)

    reviewer.post(detail(item), form_of(reviewer, item) | NEW_DRAFT | {"_save": ""})

    item.refresh_from_db()
    assert (item.title, item.summary) == ("A better title", "A better summary.\nOn two lines.")
    assert item.tags == ["two words", "one"]
    assert item.status == status


def test_confirm_saves_the_edits(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = reviewer.post(detail(item), form_of(reviewer, item) | NEW_DRAFT | {"_confirm": ""}, follow=True)

    item.refresh_from_db()
    assert (item.status, item.title) == (Status.ARCHIVED, "A better title")
    assert item.confirmed_at is not None
    assert messages(response.text) == ["The item “A better title” was confirmed and archived."]
    assert LogEntry.objects.get().get_change_message() == "Confirmed and archived."


def test_status_and_error_cannot_be_submitted(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    forged = {"status": "FAILED", "enrichment_error": "x", "raw_text": "x", "owner": "1", "fencing_token": "9"}
    before = Item.objects.filter(pk=item.pk).values(*forged).get()

    reviewer.post(detail(item), form_of(reviewer, item) | forged | {"_save": ""})

    assert Item.objects.filter(pk=item.pk).values(*forged).get() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 101),
        ("title", "bell\x07"),
        ("title", "nul\x00"),
        ("summary", ""),
        ("summary", "x" * 501),
        ("tags", ""),
        ("tags", "x" * 51),
        ("tags", "nul\x00"),
        ("tags", "\n".join(str(number) for number in range(21))),
    ],
)
def test_invalid_draft_is_refused_at_its_field(reviewer: Client, owner: User, field: str, value: str) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = reviewer.post(detail(item), form_of(reviewer, item) | {field: value, "_save": ""})

    assert list(response.context["adminform"].form.errors) == [field]
    assert Item.objects.get(pk=item.pk).updated_at == item.updated_at


def test_retry_changes_the_status_and_is_logged(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    response = reviewer.post(verb(item, "retry"), follow=True)

    item.refresh_from_db()
    assert (item.status, item.enrichment_error) == (Status.ENRICHING, None)
    assert messages(response.text) == [f"The item {str(item.pk)[:8]} was sent back to enrichment."]
    assert LogEntry.objects.get().get_change_message() == "Sent back to enrichment."


def test_discard_from_the_page_needs_confirmation(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.ENRICHING)

    question = reviewer.get(verb(item, "discard"))
    untouched = Item.objects.get(pk=item.pk).status
    response = reviewer.post(verb(item, "discard"), follow=True)

    assert "Discard this item?" in question.text
    assert untouched == Status.ENRICHING
    assert Item.objects.get(pk=item.pk).status == Status.DISCARDED
    assert messages(response.text) == [f"The item {str(item.pk)[:8]} was discarded."]


def test_get_request_to_an_action_changes_nothing(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    response = reviewer.get(verb(item, "retry"))

    assert response.headers["Location"] == detail(item)
    assert Item.objects.get(pk=item.pk).status == Status.FAILED


def test_action_keeps_the_filters_of_the_list(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)

    response = reviewer.post(f"{verb(item, 'retry')}?_changelist_filters=status%3DFAILED")

    assert response.headers["Location"] == f"{detail(item)}?_changelist_filters=status%3DFAILED"
