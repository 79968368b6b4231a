import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.admin import changelist, queries
from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, listed
from tests.items.factories import RAW_TEXT, TIMEOUT, make_attempt, make_item


def item_of_each_status(owner: User) -> dict[Status, Item]:
    return {status: make_item(owner, status=status) for status in Status}


def test_failed_item_shows_code_and_sentence_separately(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.FAILED)

    page = reviewer.get(LIST).text

    assert '<code class="item-code">LLM_TIMEOUT</code>' in page
    assert '<span class="item-sentence">The model did not answer in time.</span>' in page


def test_list_counts_pending_statuses_and_links_to_them(reviewer: Client, owner: User) -> None:
    for status in (Status.FAILED, Status.FAILED, Status.READY_TO_CONFIRM, Status.ARCHIVED):
        make_item(owner, status=status)

    page = reviewer.get(LIST).text

    links = re.findall(r'<a href="\?status=(\w+)" class="item-view status-\w+">[^<]*<strong>(\d+)</strong>', page)
    assert links == [("FAILED", "2"), ("READY_TO_CONFIRM", "1"), ("ENRICHING", "0")]


def test_list_contains_no_captured_text(reviewer: Client, owner: User) -> None:
    item_of_each_status(owner)

    page = reviewer.get(LIST).text

    assert RAW_TEXT not in page
    assert RAW_TEXT.split(".")[0] not in page


def test_title_with_html_is_escaped_in_the_list(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, title="<script>alert(1)</script>")

    page = reviewer.get(LIST).text

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_newest_items_come_first(reviewer: Client, owner: User) -> None:
    old = make_item(owner, created_at=timezone.now() - timedelta(days=1))
    new = make_item(owner)

    page = reviewer.get(LIST).text

    assert page.index(str(new.pk)) < page.index(str(old.pk))


def test_order_can_be_reversed_on_filtered_pages(reviewer: Client, owner: User) -> None:
    ages = [make_item(owner, created_at=timezone.now() - timedelta(days=days)) for days in (1, 3, 2)]

    page = reviewer.get(LIST, {"o": "oldest", "status": Status.ENRICHING}).text

    places = [page.index(f'data-row="{item.pk}"') for item in ages]
    assert places[1] < places[2] < places[0]
    assert 'aria-sort="ascending"><a href="?status=ENRICHING"' in page


def test_saved_views_are_links_that_know_whether_they_are_shown(reviewer: Client, owner: User) -> None:
    page = reviewer.get(LIST, {"status": Status.READY_TO_CONFIRM, "o": "oldest"}).text

    views = re.findall(r'<a href="\?([^"]*)" class="item-view[^"]*"( aria-current="page")?>([^<]+)', page)
    assert [label.strip() for _, _, label in views] == [
        "Failed",
        "Ready to confirm",
        "Enriching",
        "Ready, oldest first",
        "Failed today",
        "Mine",
        "All items",
    ]
    assert [label for _, is_current, label in views if is_current] == ["Ready, oldest first"]
    assert "owner=reviewer" in [query for query, _, label in views if label == "Mine"]


@pytest.mark.parametrize(
    ("query", "heading"),
    [
        ("", "No items yet"),
        ("?status=FAILED", "No failed items"),
        ("?status=READY_TO_CONFIRM", "Nothing to confirm"),
        ("?status=ARCHIVED&age=day", "No item matches the filters"),
        ("?q=nothing-like-it", "No item matches the search"),
    ],
)
def test_empty_list_says_what_to_do(reviewer: Client, owner: User, query: str, heading: str) -> None:
    page = reviewer.get(f"{LIST}{query}").text

    empty = page[page.index('class="item-empty"') :]
    assert f"<h2>{heading}</h2>" in empty
    assert '<a class="button" href=' in empty


def test_attempts_are_counted(reviewer: Client, owner: User) -> None:
    item = make_item(owner)
    make_attempt(item, number=1)
    make_attempt(item, number=2)

    page = reviewer.get(LIST).text

    assert '<td class="field-attempts">2</td>' in page


def test_number_of_list_queries_is_constant(reviewer: Client, owner: User, stranger: User) -> None:
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


def test_pages_end_at_the_count_limit(reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (changelist, queries):
        monkeypatch.setattr(module, "COUNT_LIMIT", 60)
    for _ in range(120):
        make_item(owner, status=Status.FAILED)

    page = reviewer.get(LIST).text
    second = reviewer.get(f"{LIST}?p=2").text

    assert re.search(r"about [\d,]+ items; the pages show the first 60, filters show the rest", page)
    assert len(listed(second)) == 10
    assert reviewer.get(f"{LIST}?p=3").headers["Location"] == f"{LIST}?e=1"


def test_list_does_not_load_texts_and_summaries(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.READY_TO_CONFIRM)

    with CaptureQueriesContext(connection) as captured:
        reviewer.get(LIST)

    rows = [query["sql"] for query in captured.captured_queries if query["sql"].startswith('SELECT "items"."id", ')]
    assert rows
    assert not any('"raw_text"' in row or '"summary"' in row for row in rows)


def test_items_cannot_be_added_or_deleted(admin_client: Client, owner: User) -> None:
    item = make_item(owner)

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.get(f"{LIST}{item.pk}/delete/").status_code == 403
    assert 'value="delete_selected"' not in admin_client.get(LIST).text


def test_user_can_be_deleted_with_all_their_items(admin_client: Client, owner: User, stranger: User) -> None:
    make_attempt(make_item(owner, status=Status.FAILED, enrichment_error=TIMEOUT))
    kept = make_item(stranger)

    admin_client.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"})

    assert list(Item.objects.all()) == [kept]
