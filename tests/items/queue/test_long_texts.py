"""A long text is stored apart from its row (TOAST), and is read only by who needs it."""

import random
from collections.abc import Callable, Sequence

import pytest
from django.contrib.auth.models import User
from django.db import connection

from items.claims import Claim
from items.models import Item
from items.states import Status
from tests.items.api.client import Api
from tests.items.queue.protocol import claim, finish, release, renew, success

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = 4
# Random, so that PostgreSQL cannot make it short by compression.
TEXT = "".join(random.Random(7).choices([chr(code) for code in range(0x10000, 0x14000)], k=100_000))
SIZE = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'items'::regclass"
PAGES = "SELECT toast_blks_read + toast_blks_hit FROM pg_statio_user_tables WHERE relid = 'items'::regclass"


@pytest.fixture
def items(owner: User) -> list[Item]:
    return Item.objects.capture_many(owner=owner, raw_texts=[TEXT] * NUMBER)


def number_of(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(query)
        (number,) = cursor.fetchone()
        return int(number)


def pages_read_by(work: Callable[[], object]) -> int:
    """Return how many pages of texts the work reads."""
    before = number_of(PAGES)
    work()
    return number_of(PAGES) - before


def test_claim_reads_each_text_once(items: Sequence[Item]) -> None:
    claims: list[Claim] = []
    pages = pages_read_by(lambda: list(Item.objects.values_list("raw_text", flat=True)))

    pages_claimed = pages_read_by(lambda: claims.extend(claim(NUMBER)))

    assert [claimed.raw_text for claimed in claims] == [TEXT] * NUMBER
    assert pages > NUMBER * 50
    assert pages_claimed == pages


def test_claims_and_changes_of_status_never_read_or_write_texts(items: Sequence[Item]) -> None:
    claims = claim(NUMBER)
    size = number_of(SIZE)

    pages = {
        "renew": pages_read_by(lambda: renew(claims, lease_seconds=60)),
        "release": pages_read_by(lambda: finish([release(claims[0])])),
        "finish": pages_read_by(lambda: finish([success(each) for each in claims[1:]])),
        "confirm": pages_read_by(Item.objects.all().confirm),
        "discard": pages_read_by(Item.objects.all().discard),
    }

    assert set(Item.objects.values_list("status", flat=True)) == {Status.DISCARDED}
    assert pages == dict.fromkeys(pages, 0)
    assert number_of(SIZE) == size


def test_changes_of_one_item_do_not_write_its_text_again(items: Sequence[Item]) -> None:
    finish([success(each) for each in claim(NUMBER)])
    size = number_of(SIZE)

    items[0].edit(title="Edited")
    items[0].confirm(tags=["one"])
    items[0].discard()

    assert number_of(SIZE) == size


@pytest.mark.parametrize("path", ["/items", "/items/pending"])
def test_list_reads_the_beginnings_of_its_page_only(owner: User, items: Sequence[Item], path: str) -> None:
    api = Api(owner)
    pages = pages_read_by(lambda: list(Item.objects.values_list("raw_text", flat=True)))

    pages_of_list = pages_read_by(lambda: api.get(path))
    pages_of_one = pages_read_by(lambda: api.get(path, {"limit": "1"}))

    assert 0 < pages_of_list < pages / 5
    assert 0 < pages_of_one <= pages_of_list / NUMBER


def test_claim_gives_no_more_of_a_text_than_is_sent(owner: User) -> None:
    Item.objects.capture(owner=owner, raw_text=TEXT)
    pages = pages_read_by(lambda: list(Item.objects.values_list("raw_text", flat=True)))
    claims: list[Claim] = []

    pages_claimed = pages_read_by(lambda: claims.extend(claim(1, text_length=5_000)))

    assert [claimed.raw_text for claimed in claims] == [TEXT[:5_000]]
    assert pages_claimed < pages / 5
