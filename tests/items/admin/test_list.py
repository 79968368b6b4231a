import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.admin.filters import ERROR_CODES
from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, listed
from tests.items.factories import RAW_TEXT, TIMEOUT, make_attempt, make_item


def item_of_each_status(owner: User) -> dict[Status, Item]:
    return {status: make_item(owner, status=status) for status in Status}


def test_failed_item_shows_code_and_sentence_apart(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.FAILED)

    page = reviewer.get(LIST).text

    assert '<td class="field-error_code">LLM_TIMEOUT</td>' in page
    assert '<td class="field-error_sentence">The model did not answer in time.</td>' in page


def test_list_counts_pending_statuses_and_links_to_them(reviewer: Client, owner: User) -> None:
    for status in (Status.FAILED, Status.FAILED, Status.READY_TO_CONFIRM, Status.ARCHIVED):
        make_item(owner, status=status)

    page = reviewer.get(LIST).text

    links = re.findall(r'<a href="\?status=(\w+)" class="item-\w+">[^<]*<strong>(\d+)</strong>', page)
    assert links == [("FAILED", "2"), ("READY_TO_CONFIRM", "1"), ("ENRICHING", "0")]


def test_captured_text_never_stands_in_the_list(reviewer: Client, owner: User) -> None:
    item_of_each_status(owner)

    page = reviewer.get(LIST).text

    assert RAW_TEXT not in page
    assert RAW_TEXT.split(".")[0] not in page


def test_title_is_shown_as_text_even_if_it_is_html(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, title="<script>alert(1)</script>")

    page = reviewer.get(LIST).text

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_newest_items_come_first(reviewer: Client, owner: User) -> None:
    old = make_item(owner, created_at=timezone.now() - timedelta(days=1))
    new = make_item(owner)

    page = reviewer.get(LIST).text

    assert page.index(str(new.pk)) < page.index(str(old.pk))


def test_attempts_are_counted(reviewer: Client, owner: User) -> None:
    item = make_item(owner)
    make_attempt(item, number=1)
    make_attempt(item, number=2)

    page = reviewer.get(LIST).text

    assert '<td class="field-attempts_made">2</td>' in page


@pytest.mark.parametrize("status", Status)
def test_status_filter_shows_only_its_status(reviewer: Client, owner: User, status: Status) -> None:
    items = item_of_each_status(owner)

    response = reviewer.get(LIST, {"status": status})

    assert listed(response.text) == {str(items[status].pk)}


def test_pending_filter_shows_all_that_ask_for_attention(reviewer: Client, owner: User) -> None:
    items = item_of_each_status(owner)

    response = reviewer.get(LIST, {"status": "PENDING"})

    pending = (Status.ENRICHING, Status.READY_TO_CONFIRM, Status.FAILED)
    assert listed(response.text) == {str(items[status].pk) for status in pending}


@pytest.mark.parametrize("code", ERROR_CODES)
def test_error_code_filter_shows_only_its_code(reviewer: Client, owner: User, code: str) -> None:
    items = {each: make_item(owner, status=Status.FAILED, enrichment_error=f"{each}: Why.") for each in ERROR_CODES}

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
def test_age_filter_goes_by_time_of_capture(reviewer: Client, owner: User, age: str, shown: set[str]) -> None:
    now = timezone.now()
    items = {
        unit: make_item(owner, created_at=now - timedelta(**{unit: 2}))
        for unit in ("minutes", "hours", "days", "weeks")
    }

    response = reviewer.get(LIST, {"age": age})

    assert listed(response.text) == {str(items[unit].pk) for unit in shown}


def test_owner_filter_takes_a_whole_name(reviewer: Client, owner: User, stranger: User) -> None:
    mine = make_item(owner)
    make_item(stranger)

    assert listed(reviewer.get(LIST, {"owner": "owner"}).text) == {str(mine.pk)}
    assert listed(reviewer.get(LIST, {"owner": "own"}).text) == set()


def test_owner_filter_keeps_the_other_filters(reviewer: Client, owner: User) -> None:
    response = reviewer.get(LIST, {"status": "FAILED", "owner": "owner"})

    assert '<input type="hidden" name="status" value="FAILED">' in response.text
    assert '<a href="?status=FAILED">All owners</a>' in response.text


@pytest.mark.parametrize("term", ["the whole id", "first eight digits", "VACUUM does", "stran"])
def test_search_finds_by_id_title_and_owner(reviewer: Client, owner: User, stranger: User, term: str) -> None:
    wanted = make_item(stranger, status=Status.ARCHIVED, title="What vacuum does")
    make_item(owner, status=Status.ARCHIVED, title="Another title", pk=uuid.UUID(int=wanted.pk.int ^ (1 << 127)))
    terms = {"the whole id": str(wanted.pk), "first eight digits": str(wanted.pk)[:8]}

    response = reviewer.get(LIST, {"q": terms.get(term, term)})

    assert listed(response.text) == {str(wanted.pk)}


def test_search_does_not_read_the_captured_text(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, raw_text="a secret word", title="Title")

    assert listed(reviewer.get(LIST, {"q": "secret"}).text) == set()


@pytest.mark.parametrize(
    "query",
    ["status=NO", "status=%00", "error_code=%00", "age=-1", "owner=%00", "q=%00", "o=99.x", "p=x", "p=-1", "q=%FF"],
)
def test_address_made_by_hand_breaks_nothing(reviewer: Client, owner: User, query: str) -> None:
    make_item(owner)

    response = reviewer.get(f"{LIST}?{query}", follow=True)

    assert response.status_code == 200


@pytest.mark.parametrize("lookup", ["raw_text__contains=a", "owner__password__startswith=p", "title__regex=("])
def test_address_made_by_hand_cannot_look_into_columns(reviewer: Client, owner: User, lookup: str) -> None:
    response = reviewer.get(f"{LIST}?{lookup}")

    assert response.status_code == 400


def test_a_page_takes_as_many_queries_for_many_items_as_for_one(reviewer: Client, owner: User, stranger: User) -> None:
    make_attempt(make_item(owner))
    reviewer.get(LIST)
    with CaptureQueriesContext(connection) as one_item:
        reviewer.get(LIST)
    for _ in range(20):
        make_attempt(make_item(stranger))

    with CaptureQueriesContext(connection) as many_items:
        reviewer.get(LIST)

    assert len(many_items) == len(one_item)
    assert not any("raw_text" in query["sql"] for query in many_items.captured_queries)


def test_items_are_not_added_or_deleted_here(admin_client: Client, owner: User) -> None:
    item = make_item(owner)

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.get(f"{LIST}{item.pk}/delete/").status_code == 403
    assert 'value="delete_selected"' not in admin_client.get(LIST).text


def test_user_can_be_deleted_with_all_their_items(admin_client: Client, owner: User, stranger: User) -> None:
    make_attempt(make_item(owner, status=Status.FAILED, enrichment_error=TIMEOUT))
    kept = make_item(stranger)

    admin_client.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"})

    assert list(Item.objects.all()) == [kept]
