"""The list of failed items begins with their reasons."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.admin import bulk, causes
from items.models import AuditEvent, Item
from items.reasons import Reason
from items.states import Outcome, Status
from tests.items.admin.pages import LIST, listed, messages
from tests.items.admin.staff import staff_client
from tests.items.admin.test_undo import undo_button
from tests.items.factories import make_attempt, make_item

pytestmark = pytest.mark.django_db

OVERVIEW = f"{LIST}?status=FAILED"
SIX = (
    Reason.KEY_REFUSED,
    Reason.QUOTA_EXHAUSTED,
    Reason.TEXT_TOO_LONG,
    Reason.MODEL_UNKNOWN,
    Reason.REQUEST_REFUSED,
    Reason.TIMED_OUT,
)
FAIL = """
    INSERT INTO items (owner_id, raw_text, status, enrichment_error, error_reason, updated_at)
    SELECT %(owner)s, 'text', 'FAILED', %(code)s || ': Why.', %(reason)s, now() - make_interval(mins => number)
    FROM generate_series(1, %(number)s) number
"""
ATTEMPTS = """
    INSERT INTO enrichment_attempts
        (item_id, number, fencing_token, worker, started_at, finished_at, outcome, error_code, model)
    SELECT id, 1, 1, 'worker', now(), now(), 'FAILED', 'LLM_API_ERROR', 'model'
    FROM items WHERE status = 'FAILED'
"""


def fail(owner: User, reason: str | None, number: int = 1, *, code: str = "LLM_API_ERROR") -> None:
    with connection.cursor() as cursor:
        cursor.execute(FAIL, {"owner": owner.pk, "reason": reason, "number": number, "code": code})


def fail_three_hundred(owner: User) -> dict[Reason, int]:
    numbers = dict(zip(SIX, (100, 80, 60, 40, 15, 5), strict=True))
    for reason, number in numbers.items():
        fail(owner, reason, number)
    with connection.cursor() as cursor:
        cursor.execute(ATTEMPTS)
    return numbers


def rows(page: str) -> dict[str, str]:
    """Return the text of each row of the table of reasons."""
    found = re.findall(r'<tr data-row="(\w+)">(.*?)</tr>', page, re.DOTALL)
    return {name: " ".join(unescape(re.sub("<[^>]*>", " ", row)).split()) for name, row in found}


def labels(page: str) -> list[str]:
    return [unescape(label) for label in re.findall(r'aria-label="((?:Retry|Discard) \d+ items?[^"]*)"', page)]


def test_three_hundred_failures_are_six_rows(reviewer: Client, owner: User) -> None:
    numbers = fail_three_hundred(owner)

    page = reviewer.get(OVERVIEW).text

    assert list(rows(page)) == list(SIX)
    for reason, number in numbers.items():
        row = rows(page)[reason]
        assert row.startswith(f"{reason.label} {reason.sentence} {number} ")
        assert "model" in row
        assert " ".join(reason.advice.replace("`", " ").split()) in row
        assert f"Retry {number} items Discard {number} items…" in row


def test_each_button_is_named_after_its_reason(reviewer: Client, owner: User) -> None:
    fail(owner, Reason.KEY_REFUSED, 2)
    fail(owner, Reason.TIMED_OUT)

    page = reviewer.get(OVERVIEW).text

    assert labels(page) == [
        "Retry 2 items: Key refused",
        "Discard 2 items…: Key refused",
        "Retry 1 item: Timed out",
        "Discard 1 item…: Timed out",
    ]


def test_queries_do_not_depend_on_the_number_of_reasons(reviewer: Client, owner: User) -> None:
    fail(owner, Reason.KEY_REFUSED)
    reviewer.get(OVERVIEW)
    with CaptureQueriesContext(connection) as few:
        reviewer.get(OVERVIEW)
    fail_three_hundred(owner)

    with CaptureQueriesContext(connection) as many:
        reviewer.get(OVERVIEW)

    assert len(many) == len(few)
    assert sum("unnest" in query["sql"] and "error_reason" in query["sql"] for query in many) == 2


def test_since_is_when_the_first_of_them_failed(reviewer: Client, owner: User) -> None:
    for hours in (1, 5, 3):
        make_item(owner, status=Status.FAILED, updated_at=timezone.now() - timedelta(hours=hours))

    assert "5 hours" in rows(reviewer.get(OVERVIEW).text)[Reason.TIMED_OUT].replace("\xa0", " ")


def test_models_are_those_of_the_last_attempts(reviewer: Client, owner: User) -> None:
    for model in ("second", "first", None):
        item = make_item(owner, status=Status.FAILED)
        make_attempt(item, number=1, outcome=Outcome.FAILED, model="former")
        make_attempt(item, number=2, outcome=Outcome.FAILED, model=model)

    row = rows(reviewer.get(OVERVIEW).text)[Reason.TIMED_OUT]

    assert "first , second" in row
    assert "former" not in row


# As plain SQL, an earlier and a later version write them.
UNKNOWN = (
    (None, "LLM_API_ERROR", 8),
    ("BILLED_TWICE", "LLM_API_ERROR", 7),
    ("ZERO", "LLM_TIMEOUT", 6),
    ("A", "LLM_TIMEOUT", 5),
    ("", "OWN_CODE", 4),
    (None, "ANOTHER", 1),
)
GROUPS = {"NONE_LLM_API_ERROR": 15, "NONE_LLM_TIMEOUT": 11, "NONE_OTHER": 5, "KEY_REFUSED": 3, "TIMED_OUT": 2}


def fail_for_unknown_reasons(owner: User) -> None:
    for reason, code, number in UNKNOWN:
        fail(owner, reason, number, code=code)
    fail(owner, Reason.KEY_REFUSED, 3)
    fail(owner, Reason.TIMED_OUT, 2)


def test_unknown_reasons_are_groups_by_code(reviewer: Client, owner: User) -> None:
    fail_for_unknown_reasons(owner)

    page = reviewer.get(OVERVIEW).text

    assert {name: int(re.findall(r"Retry (\d+) item", row)[0]) for name, row in rows(page).items()} == GROUPS
    assert list(rows(page)) == list(GROUPS)
    assert sum(GROUPS.values()) == Item.objects.failed().count()
    assert rows(page)["NONE_LLM_TIMEOUT"].startswith("Unknown reason, LLM_TIMEOUT 11 ")
    assert rows(page)["NONE_OTHER"].startswith("Unknown reason, other codes 5 ")


def test_each_group_leads_to_as_many_items(reviewer: Client, owner: User) -> None:
    fail_for_unknown_reasons(owner)
    addresses = re.findall(r'href="(\?[^"]*error_reason[^"]*)" data-open', reviewer.get(OVERVIEW).text)

    numbers = [len(listed(reviewer.get(LIST + unescape(address)).text)) for address in addresses]

    assert numbers == list(GROUPS.values())


@pytest.mark.parametrize("name", GROUPS)
def test_each_group_is_retried_alone(reviewer: Client, owner: User, name: str) -> None:
    fail_for_unknown_reasons(owner)

    response = reviewer.post(f"{LIST}causes/{name}/retry/", follow=True)

    assert messages(response.text) == [f"{GROUPS[name]} items sent back to enrichment."]
    assert list(rows(response.text)) == [other for other in GROUPS if other != name]


def test_discard_of_an_unknown_reason_names_its_code(reviewer: Client, owner: User) -> None:
    fail_for_unknown_reasons(owner)

    question = reviewer.get(f"{LIST}causes/NONE_LLM_TIMEOUT/discard/").text

    assert "Discard 11 items?" in question
    assert "Unknown reason, LLM_TIMEOUT" in question


def test_number_beyond_the_limit_is_an_estimate(reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "COUNT_LIMIT", 2)
    monkeypatch.setattr("items.admin.queries.COUNT_LIMIT", 2)
    fail(owner, Reason.TIMED_OUT, 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE items")

    row = rows(reviewer.get(OVERVIEW).text)[Reason.TIMED_OUT]

    assert "Retry about 5 items" in row
    assert "more than" in row


def test_row_leads_to_the_items_of_its_reason(reviewer: Client, owner: User) -> None:
    wanted = make_item(owner, status=Status.FAILED, error_reason=Reason.KEY_REFUSED)
    make_item(owner, status=Status.FAILED)
    page = reviewer.get(OVERVIEW).text
    (address,) = re.findall(r'href="([^"]*error_reason=KEY_REFUSED)" data-open', page)

    response = reviewer.get(LIST + unescape(address))

    assert listed(response.text) == {str(wanted.pk)}
    assert rows(response.text) == {}


@pytest.mark.parametrize("query", ["", "?status=READY_TO_CONFIRM", "?status=FAILED&q=text", "?status=FAILED&p=1"])
def test_other_lists_show_no_reasons(reviewer: Client, owner: User, query: str) -> None:
    fail(owner, Reason.TIMED_OUT)

    assert rows(reviewer.get(LIST + query).text) == {}


def test_retry_changes_the_items_of_one_reason(reviewer: Client, owner: User) -> None:
    fail(owner, Reason.KEY_REFUSED, 4)
    other = make_item(owner, status=Status.FAILED)

    response = reviewer.post(f"{LIST}causes/KEY_REFUSED/retry/", follow=True)

    assert messages(response.text) == ["4 items sent back to enrichment."]
    assert response.redirect_chain == [(OVERVIEW, 302)]
    assert list(Item.objects.filter(status=Status.FAILED)) == [other]
    assert set(Item.objects.exclude(pk=other.pk).values_list("error_reason", "enrichment_error")) == {(None, None)}
    assert AuditEvent.objects.filter(action="retry", via="admin").count() == 4


def test_retry_is_paced(reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH_SIZE", 2)
    fail(owner, Reason.KEY_REFUSED, 5)

    reviewer.post(f"{LIST}causes/KEY_REFUSED/retry/")

    now = timezone.now() + timedelta(seconds=1)
    due = Item.objects.filter(status=Status.ENRICHING)
    assert due.filter(available_at__lte=now).count() == 2
    assert due.filter(available_at__gt=now + timedelta(seconds=90)).count() == 1


def test_discard_asks_first(reviewer: Client, owner: User) -> None:
    fail(owner, Reason.TEXT_REFUSED, 4)
    other = make_item(owner, status=Status.FAILED)
    address = f"{LIST}causes/TEXT_REFUSED/discard/"

    question = reviewer.get(address)
    untouched = Item.objects.filter(status=Status.FAILED).count()
    response = reviewer.post(address, follow=True)

    assert "Discard 4 items?" in question.text
    assert Reason.TEXT_REFUSED.sentence in question.text
    assert f'href="{OVERVIEW}"' in question.text
    assert untouched == 5
    assert messages(response.text) == ["4 items discarded."]
    assert list(Item.objects.filter(status=Status.FAILED)) == [other]
    assert AuditEvent.objects.filter(action="discard").count() == 4


@pytest.mark.parametrize(("number", "named", "more"), [(2, 2, None), (20, 20, None), (23, 20, "and 3 more")])
def test_discard_of_a_reason_lists_what_goes(
    reviewer: Client, owner: User, number: int, named: int, more: str | None
) -> None:
    for each in range(number):
        make_item(owner, status=Status.FAILED, title=f"<Text {each}>", error_reason=Reason.TEXT_REFUSED)
    make_item(owner, status=Status.FAILED, title="Of another reason")

    question = reviewer.get(f"{LIST}causes/TEXT_REFUSED/discard/").text

    (names,) = re.findall(r'<ul class="item-names">(.*?)</ul>', question)
    assert names.count("<bdi>“&lt;Text ") == named
    assert names.startswith(f"<li><bdi>“&lt;Text {number - 1}&gt;”</bdi></li>")
    assert "another" not in names
    assert re.findall("<li>(and .*?)</li>", names) == ([more] if more else [])


def test_discard_of_a_reason_is_undone_by_the_message(reviewer: Client, owner: User) -> None:
    fail(owner, Reason.TEXT_REFUSED, 4)
    page = reviewer.post(f"{LIST}causes/TEXT_REFUSED/discard/", follow=True)
    url, fields = undo_button(page.text)

    response = reviewer.post(url, fields, follow=True)

    assert response.redirect_chain == [(OVERVIEW, 302)]
    assert messages(response.text) == ["4 items restored."]
    assert list(rows(response.text)) == [Reason.TEXT_REFUSED]


def test_link_to_a_retry_changes_nothing(reviewer: Client, owner: User) -> None:
    fail(owner, Reason.KEY_REFUSED)

    response = reviewer.get(f"{LIST}causes/KEY_REFUSED/retry/")

    assert response.headers["Location"] == OVERVIEW
    assert Item.objects.get().status == Status.FAILED


@pytest.mark.parametrize(
    "reason",
    ["key_refused", "LLM_API_ERROR", "NONE", "NONE_", "NONE_OWN_CODE", "%00", "'; DROP TABLE items", "9" * 2000],
)
@pytest.mark.parametrize("action", ["retry", "discard"])
def test_made_up_reason_is_not_found(reviewer: Client, owner: User, reason: str, action: str) -> None:
    fail(owner, Reason.KEY_REFUSED)

    response = reviewer.post(f"{LIST}causes/{reason}/{action}/")

    assert response.status_code == 404
    assert Item.objects.get().status == Status.FAILED


@pytest.mark.parametrize(
    ("verbs", "allowed"), [(("view_item",), []), (("view_item", "retry_item"), ["retry"]), (("retry_item",), [])]
)
def test_buttons_need_their_permissions(owner: User, verbs: tuple[str, ...], allowed: list[str]) -> None:
    fail(owner, Reason.KEY_REFUSED)
    client = staff_client("staff", *verbs)

    shown = labels(client.get(OVERVIEW).text)
    changed = [
        action
        for action in ("discard", "retry")
        if client.post(f"{LIST}causes/KEY_REFUSED/{action}/").status_code != 403
    ]

    assert [label.split()[0].lower() for label in shown] == allowed
    assert changed == allowed
