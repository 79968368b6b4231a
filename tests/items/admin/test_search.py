"""The results of the search, and the number of rows that it reads."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from items.admin import filters
from items.states import Status
from tests.items.admin.pages import LIST, listed
from tests.items.factories import make_item

OTHERS = 5_000
"""Few enough that a search for a title would read all of them."""

CROWD = """
INSERT INTO items (owner_id, raw_text, title, status, created_at, confirmed_at)
SELECT %s, 'A text', 'Title ' || n, 'ARCHIVED', now() - n * interval '1 minute', now() FROM generate_series(1, %s) n
"""
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'items'"


def rows_read() -> int:
    """Return the number of rows of items that this transaction has read."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return int(cursor.fetchone()[0])


@pytest.fixture
def crowd(stranger: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CROWD, [stranger.pk, OTHERS])
        cursor.execute("ANALYZE items")


@pytest.mark.parametrize("term", ["the whole id", "first eight digits", "VACUUM does", "stran"])
def test_search_finds_by_id_title_and_owner(reviewer: Client, owner: User, stranger: User, term: str) -> None:
    wanted = make_item(stranger, status=Status.ARCHIVED, title="What vacuum does")
    make_item(owner, status=Status.ARCHIVED, title="Another title", pk=uuid.UUID(int=wanted.pk.int ^ (1 << 127)))
    terms = {"the whole id": str(wanted.pk), "first eight digits": str(wanted.pk)[:8]}

    response = reviewer.get(LIST, {"q": terms.get(term, term)})

    assert listed(response.text) == {str(wanted.pk)}


def test_search_covers_a_limited_number_of_items(
    reviewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SEARCH_LIMIT", 2)
    oldest, *newest = (
        make_item(owner, status=Status.ARCHIVED, created_at=timezone.now() - timedelta(days=days)) for days in (3, 2, 1)
    )

    assert listed(reviewer.get(LIST, {"q": "vacuum"}).text) == {str(item.pk) for item in newest}
    assert listed(reviewer.get(LIST, {"q": str(oldest.pk)}).text) == {str(oldest.pk)}


def test_title_word_that_looks_like_an_id_is_found(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, title="The facade of the house", pk=uuid.UUID(int=0))

    assert listed(reviewer.get(LIST, {"q": "facade"}).text) == {str(item.pk)}
    assert listed(reviewer.get(LIST, {"q": "deadbeef"}).text) == set()


def test_search_does_not_read_the_captured_text(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, raw_text="a secret word", title="Title")

    assert listed(reviewer.get(LIST, {"q": "secret"}).text) == set()


@pytest.mark.parametrize("term", ["VACUUM what", "Wha\u200bt", "What stranger", '"what vacuum"'])
def test_search_finds_titles_and_owners_with_all_words(
    reviewer: Client, owner: User, stranger: User, term: str
) -> None:
    wanted = make_item(stranger, status=Status.ARCHIVED, title="What va\xadcuum does")
    make_item(owner, status=Status.ARCHIVED, title="Another title")

    assert listed(reviewer.get(LIST, {"q": term}).text) == {str(wanted.pk)}


def test_words_of_a_title_are_marked(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED, title="<b> vacuum")

    assert "<bdi>&lt;b&gt; <mark>vacuum</mark></bdi>" in reviewer.get(LIST, {"q": "Vacuum"}).text


@pytest.mark.parametrize("term", ["1 2 3 4 5 6 7 8 9 10 11", "a" * 201])
def test_search_for_too_much_finds_nothing_and_says_so(reviewer: Client, owner: User, term: str) -> None:
    make_item(owner, status=Status.ARCHIVED, title="1 2 3 4 5 6 7 8 9 10 11")

    page = reviewer.get(LIST, {"q": term}).text

    assert listed(page) == set()
    assert "A search may have at most 10 words and 200 characters." in page


def test_full_name_finds_all_items_of_the_owner(
    reviewer: Client, owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SEARCH_LIMIT", 1)
    wanted = [make_item(owner, created_at=timezone.now() - timedelta(days=days)) for days in (3, 2)]
    make_item(User.objects.create_user("owner2"))
    make_item(stranger, status=Status.ARCHIVED, title="Who is the owner?")

    assert listed(reviewer.get(LIST, {"q": " owner "}).text) == {str(item.pk) for item in wanted}


def test_name_in_another_case_finds_titles_and_owners(reviewer: Client, owner: User, stranger: User) -> None:
    wanted = [
        make_item(owner),
        make_item(User.objects.create_user("owner2")),
        make_item(stranger, status=Status.ARCHIVED, title="Who is the owner?"),
    ]
    make_item(stranger)

    assert listed(reviewer.get(LIST, {"q": "OWNER"}).text) == {str(item.pk) for item in wanted}


def test_part_of_a_name_finds_items_of_several_owners(reviewer: Client) -> None:
    User.objects.bulk_create(User(username=f"team{number}") for number in range(150))
    members = User.objects.filter(username__in=["team0", "team75", "team149"])
    wanted = [make_item(member) for member in members]

    assert listed(reviewer.get(LIST, {"q": "team"}).text) == {str(item.pk) for item in wanted}


def test_name_of_a_user_without_items_searches_titles(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, title="For the reviewer")

    assert listed(reviewer.get(LIST, {"q": "reviewer"}).text) == {str(item.pk)}


def test_search_for_an_owner_ignores_others_despite_filters(reviewer: Client, owner: User) -> None:
    make_item(owner, status=Status.ARCHIVED)
    make_item(User.objects.create_user("owner2"), status=Status.FAILED)

    assert listed(reviewer.get(LIST, {"q": "owner", "status": Status.FAILED}).text) == set()


@pytest.mark.parametrize("query", [{}, {"status": Status.FAILED}, {"status": Status.ARCHIVED}])
def test_search_for_an_owner_reads_no_items_of_others(
    reviewer: Client, owner: User, crowd: None, query: dict[str, str]
) -> None:
    mine = [make_item(owner, status=status) for status in (Status.FAILED, Status.ARCHIVED) for _ in range(5)]
    before = rows_read()

    page = reviewer.get(LIST, {**query, "q": "owner"}).text

    assert listed(page) == {str(item.pk) for item in mine if item.status == query.get("status", item.status)}
    assert rows_read() - before < OTHERS / 50


@pytest.mark.parametrize("term", ["own", "zzz", "reviewer"])
def test_search_for_other_terms_reads_only_the_newest_items(
    reviewer: Client, owner: User, crowd: None, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setattr(filters, "SEARCH_LIMIT", 50)
    make_item(owner)
    before = rows_read()

    reviewer.get(LIST, {"q": term})

    assert rows_read() - before < OTHERS / 10
