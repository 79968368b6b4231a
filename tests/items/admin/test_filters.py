"""The filters of the list."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from items.admin.filters import NO_REASON, OTHER_CODE
from items.models import EnrichmentAttempt, Item
from items.reasons import ERROR_CODES, Reason
from items.states import Outcome, Status
from tests.items.admin.pages import LIST, listed
from tests.items.factories import make_attempt, make_item


def item_of_each_status(owner: User) -> dict[Status, Item]:
    return {status: make_item(owner, status=status) for status in Status}


@pytest.mark.parametrize("status", Status)
def test_status_filter_shows_only_its_status(reviewer: Client, owner: User, status: Status) -> None:
    items = item_of_each_status(owner)

    response = reviewer.get(LIST, {"status": status})

    assert listed(response.text) == {str(items[status].pk)}


def test_pending_filter_shows_all_pending_statuses(reviewer: Client, owner: User) -> None:
    items = item_of_each_status(owner)

    response = reviewer.get(LIST, {"status": "PENDING"})

    pending = (Status.ENRICHING, Status.READY_TO_CONFIRM, Status.FAILED)
    assert listed(response.text) == {str(items[status].pk) for status in pending}


@pytest.mark.parametrize("reason", [*Reason, NO_REASON])
def test_error_reason_filter_shows_only_its_reason(reviewer: Client, owner: User, reason: str) -> None:
    items: dict[str, Item] = {each: make_item(owner, status=Status.FAILED, error_reason=each) for each in Reason}
    without = [make_item(owner, status=Status.FAILED, error_reason=each) for each in (None, "OF_ANOTHER_VERSION")]

    response = reviewer.get(LIST, {"error_reason": reason})

    wanted = without if reason == NO_REASON else [items[reason]]
    assert listed(response.text) == {str(item.pk) for item in wanted}


@pytest.mark.parametrize("code", [*ERROR_CODES, OTHER_CODE])
def test_error_code_filter_shows_only_its_code(reviewer: Client, owner: User, code: str) -> None:
    codes = (*ERROR_CODES, OTHER_CODE)
    items = {each: make_item(owner, status=Status.FAILED, enrichment_error=f"{each}: Why.") for each in codes}

    response = reviewer.get(LIST, {"error_code": code})

    assert listed(response.text) == {str(items[code].pk)}


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        ("hour", {"minutes"}),
        ("day", {"minutes", "hours"}),
        ("week", {"minutes", "hours", "days"}),
        ("older", {"weeks"}),
    ],
)
def test_age_filter_uses_the_time_of_capture(reviewer: Client, owner: User, age: str, shown: set[str]) -> None:
    now = timezone.now()
    items = {
        unit: make_item(owner, created_at=now - timedelta(**{unit: 2}))
        for unit in ("minutes", "hours", "days", "weeks")
    }

    response = reviewer.get(LIST, {"age": age})

    assert listed(response.text) == {str(items[unit].pk) for unit in shown}


def test_model_filter_matches_any_attempt(reviewer: Client, owner: User) -> None:
    wanted, other = make_item(owner), make_item(owner)
    make_attempt(wanted, number=1, model="openai/first")
    make_attempt(wanted, number=2, model="openai/second")
    make_attempt(other, model="openai/second")

    response = reviewer.get(LIST, {"model": "openai/first"})

    assert listed(response.text) == {str(wanted.pk)}
    assert re.findall(r"<a [^>]*><span>(openai/\w+)</span>", response.text) == ["openai/first", "openai/second"]


def test_model_that_was_used_long_ago_is_offered(reviewer: Client, owner: User) -> None:
    item = make_item(owner)
    long_ago = timezone.now() - timedelta(days=30)
    for number in range(5):
        make_attempt(item, number=number + 1, model="openai/old", finished_at=long_ago)
    EnrichmentAttempt.objects.bulk_create(
        EnrichmentAttempt(
            item=item,
            number=number,
            fencing_token=number,
            worker="worker-1",
            started_at=long_ago,
            finished_at=timezone.now(),
            outcome=Outcome.SUCCEEDED,
            model="openai/new",
        )
        for number in range(10, 1_011)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE enrichment_attempts")

    page = reviewer.get(LIST).text

    assert re.findall(r"<a [^>]*><span>(openai/\w+)</span>", page) == ["openai/new", "openai/old"]


def test_owner_filter_takes_a_whole_name(reviewer: Client, owner: User, stranger: User) -> None:
    mine = make_item(owner)
    make_item(stranger)

    assert listed(reviewer.get(LIST, {"owner": "owner"}).text) == {str(mine.pk)}
    assert listed(reviewer.get(LIST, {"owner": "own"}).text) == set()


def test_owner_filter_keeps_the_other_filters(reviewer: Client, owner: User) -> None:
    response = reviewer.get(LIST, {"status": "FAILED", "owner": "owner"})

    assert '<input type="hidden" name="status" value="FAILED">' in response.text
    assert '<a href="?status=FAILED">All owners</a>' in response.text


@pytest.mark.parametrize(
    "query",
    [
        "status=NO",
        "status=%00",
        "model=%00",
        "model=no",
        "p=9999999",
        "error_code=%00",
        "error_reason=%00",
        "error_reason=key_refused",
        "age=-1",
        "owner=%00",
        "q=%00",
        "o=99.x",
        "p=x",
        "p=-1",
    ],
)
def test_unknown_filter_values_break_nothing(reviewer: Client, owner: User, query: str) -> None:
    make_item(owner)

    response = reviewer.get(f"{LIST}?{query}", follow=True)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "query", ["status=NO", "status=%00", "model=no", "error_code=NO", "error_reason=key_refused", "age=-1"]
)
def test_unknown_choice_matches_nothing_and_says_so(reviewer: Client, owner: User, query: str) -> None:
    """Otherwise, an action on all that match would act on all there are."""
    item = make_item(owner, status=Status.FAILED)

    page = reviewer.get(f"{LIST}?{query}").text
    everything = {"action": "discard_selected", "_selected_action": [item.pk], "select_across": "1", "confirmed": "yes"}
    reviewer.post(f"{LIST}?{query}", everything)

    title = query.partition("=")[0].replace("_", " ").capitalize()
    assert f"<summary>{title}: <strong>unknown value</strong></summary>" in page
    assert listed(page) == set()
    assert "No item matches the filters" in page
    assert Item.objects.get().status == Status.FAILED


@pytest.mark.parametrize("lookup", ["raw_text__contains=a", "owner__password__startswith=p", "title__regex=("])
def test_other_columns_cannot_be_filtered_by_url(reviewer: Client, owner: User, lookup: str) -> None:
    response = reviewer.get(f"{LIST}?{lookup}")

    assert response.status_code == 400


def counts_of(page: str, title: str) -> dict[str, str]:
    menu = page[page.index(f"<summary>{title}") :].partition("</details>")[0]
    return dict(re.findall(r"<span>([^<]+)</span> <span class=\"menu-count\">([^<]*)</span>", menu))


def test_counts_beside_choices_follow_the_other_filters(reviewer: Client, owner: User, stranger: User) -> None:
    for status in (Status.FAILED, Status.FAILED, Status.ARCHIVED):
        make_item(owner, status=status)
    make_item(stranger, status=Status.FAILED)

    page = reviewer.get(LIST, {"owner": "owner", "status": Status.ARCHIVED, "_facets": "True"}).text

    statuses = counts_of(page, "Status")
    assert (statuses["All"], statuses["Failed"], statuses["Archived"], statuses["Enriching"]) == ("3", "2", "1", "0")
    assert counts_of(page, "Age")["Last hour"] == "1"


def test_nothing_is_counted_beside_choices_until_asked_for(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.FAILED)

    page = reviewer.get(LIST).text

    assert set(counts_of(page, "Status").values()) == {""}
    assert 'data-counts="?_facets=True"' in page
