"""The way through a list, from the page of one item to the next."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from items.admin.labels import CHANGED_MEANWHILE, NO_MORE
from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, detail, form_of, messages, verb
from tests.items.factories import make_item

READY = Status.READY_TO_CONFIRM
OF_READY = f"status={READY}"
BUTTONS = {"confirm": "Confirm and next", "discard": "Discard and next"}


def filtered(url: str, filters: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'_changelist_filters': filters})}" if filters else url


def make_items(owner: User, *statuses: Status, **fields: object) -> list[Item]:
    """Save items captured a minute apart, the first one last, so that lists show them in this order."""
    now = timezone.now()
    return [
        make_item(owner, status=status, **{"created_at": now - timedelta(minutes=number), **fields})
        for number, status in enumerate(statuses)
    ]


def link(page: str, rel: str) -> UUID | None:
    found = re.search(rf'<a href="{LIST}([0-9a-f-]+)/change/[^"]*" rel="{rel}"', page)
    return UUID(found[1]) if found else None


def position(page: str) -> str:
    found = re.search(r"<span>([^<]+)</span>", page[page.index('class="item-neighbours"') :])
    return found[1] if found else ""


def walk(client: Client, item: Item, filters: str, *, rel: str) -> list[UUID]:
    """Follow the links from an item to the end of the list."""
    seen = [item.pk]
    while pk := link(client.get(filtered(f"{LIST}{seen[-1]}/change/", filters)).text, rel):
        assert pk not in seen
        seen.append(pk)
    return seen


def press(client: Client, item: Item, action: str, filters: str) -> "tuple[str, list[str]]":
    """Press a button of the page as it is now. Return the path of the page after it, and its messages."""
    address = filtered(detail(item), filters)
    page = client.get(address).text
    return send(client, item, page, action, filters)


def send(client: Client, item: Item, page: str, action: str, filters: str) -> "tuple[str, list[str]]":
    (button,) = re.findall(rf"<button[^>]*>{BUTTONS[action]}</button>", page)
    url = re.search(r'formaction="([^"]*)"', button)
    form = form_of(client, item)
    seen_at = re.search(r'name="seen_at" value="([^"]*)"', page)
    form |= {"seen_at": unescape(seen_at[1])} if seen_at else {}
    if url:
        response = client.post(unescape(url[1]), form, follow=True)
    else:
        response = client.post(filtered(detail(item), filters), form | {"_confirm_next": ""}, follow=True)
    return response.request["PATH_INFO"], messages(response.text)


@pytest.mark.parametrize("order", ["", "o=oldest"])
def test_links_go_through_the_list_in_its_order(reviewer: Client, owner: User, order: str) -> None:
    make_items(owner, *[READY] * 2, *[Status.FAILED] * 2)
    same_time = timezone.now() - timedelta(hours=1)
    make_items(owner, *[READY] * 4, created_at=same_time)
    filters = "&".join(filter(None, (OF_READY, order)))
    listed = [item.pk for item in reviewer.get(f"{LIST}?{filters}").context["cl"].result_list]
    first, last = Item.objects.get(pk=listed[0]), Item.objects.get(pk=listed[-1])

    assert walk(reviewer, first, filters, rel="next") == listed
    assert walk(reviewer, last, filters, rel="prev") == listed[::-1]


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ("", 6),
        (OF_READY, 3),
        ("status=PENDING", 5),
        ("owner=owner", 6),
        ("error_code=LLM_TIMEOUT", 1),
        ("q=another", 1),
    ],
)
def test_position_is_of_the_filtered_list(reviewer: Client, owner: User, filters: str, number: int) -> None:
    make_items(owner, READY, Status.FAILED, READY, Status.ENRICHING, Status.ARCHIVED)
    make_item(owner, status=READY, title="Another title", created_at=timezone.now() - timedelta(hours=1))
    listed = [item.pk for item in reviewer.get(f"{LIST}?{filters}").context["cl"].result_list]

    shown = [position(reviewer.get(filtered(f"{LIST}{pk}/change/", filters)).text) for pk in listed]

    assert shown == [f"{place} of {number}" for place in range(1, number + 1)]


def test_item_outside_of_the_list_has_neighbours_but_no_position(reviewer: Client, owner: User) -> None:
    newer, failed, older = make_items(owner, READY, Status.FAILED, READY)

    page = reviewer.get(filtered(detail(failed), OF_READY)).text

    assert (link(page, "prev"), link(page, "next"), position(page)) == (newer.pk, older.pk, "2 items")


@pytest.mark.parametrize("filters", ["nothing=like-it", "status=nothing", "o=99.x", "p=x", "q=" + "word " * 50])
def test_made_up_filters_break_nothing(reviewer: Client, owner: User, filters: str) -> None:
    (item,) = make_items(owner, READY)

    assert reviewer.get(filtered(detail(item), filters)).status_code == 200


@pytest.mark.parametrize("action", BUTTONS)
def test_button_leads_to_the_next_and_at_last_to_the_list(reviewer: Client, owner: User, action: str) -> None:
    first, _failed, second = make_items(owner, READY, Status.FAILED, READY)
    filters = "status=PENDING"

    after_first = press(reviewer, first, action, filters)
    after_second = press(reviewer, second, action, filters)

    assert after_first[0] == detail(second)
    assert len(after_first[1]) == 1
    assert after_second[0] == LIST
    assert NO_MORE in after_second[1]
    assert set(Item.objects.filter(pk__in=[first.pk, second.pk]).values_list("status", flat=True)) == {
        {"confirm": Status.ARCHIVED, "discard": Status.DISCARDED}[action]
    }


def test_confirm_and_next_saves_the_edits_and_keeps_the_filters(reviewer: Client, owner: User) -> None:
    first, second = make_items(owner, READY, READY)
    form = form_of(reviewer, first) | {"title": "A better title", "_confirm_next": ""}

    response = reviewer.post(filtered(detail(first), OF_READY), form)

    assert response.headers["Location"] == filtered(detail(second), OF_READY)
    first.refresh_from_db()
    assert (first.title, first.status) == ("A better title", Status.ARCHIVED)


def test_item_that_vanished_meanwhile_is_skipped(reviewer: Client, owner: User) -> None:
    first, second, third = make_items(owner, READY, READY, READY)
    page = reviewer.get(filtered(detail(first), OF_READY)).text
    second.delete()

    after, _messages = send(reviewer, first, page, "confirm", OF_READY)

    assert after == detail(third)


@pytest.mark.parametrize(("action", "messages_expected"), [("confirm", []), ("discard", [CHANGED_MEANWHILE])])
def test_item_confirmed_by_another_reviewer_stays_open(
    reviewer: Client, owner: User, action: str, messages_expected: list[str]
) -> None:
    first, _second = make_items(owner, READY, READY)
    page = reviewer.get(filtered(detail(first), OF_READY)).text
    first.confirm()

    after, said = send(reviewer, first, page, action, OF_READY)

    assert after == detail(first)
    assert said == messages_expected
    assert Item.objects.get(pk=first.pk).status == Status.ARCHIVED


def test_typed_changes_are_shown_when_the_item_was_changed(reviewer: Client, owner: User) -> None:
    (item,) = make_items(owner, READY)
    form = form_of(reviewer, item) | {"title": "What vacuum <b> keeps", "_confirm_next": ""}
    item.edit(summary="Another summary.")

    page = reviewer.post(detail(item), form).text

    assert CHANGED_MEANWHILE in page
    assert "What vacuum <del>does</del><ins>&lt;b&gt; keeps</ins>" in page


def test_confirm_and_next_needs_its_permission(viewer: Client, owner: User) -> None:
    (item,) = make_items(owner, READY)

    answers = [
        viewer.post(detail(item), {"_confirm_next": ""}).status_code,
        viewer.post(f"{verb(item, 'confirm')}?back=next").status_code,
    ]

    assert answers == [403, 403]
    assert Item.objects.get(pk=item.pk).status == READY


def test_page_reads_no_list(reviewer: Client, owner: User) -> None:
    (item, *_) = make_items(owner, *[READY] * 3)

    with CaptureQueriesContext(connection) as queries:
        reviewer.get(filtered(detail(item), OF_READY))

    of_items = [query["sql"] for query in queries if 'FROM "items"' in query["sql"]]
    assert len(of_items) == 6, "\n".join(of_items)
    assert all("LIMIT" in sql for sql in of_items if "owner" in sql and "raw_text" not in sql)
