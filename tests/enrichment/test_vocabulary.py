"""The tags of the owner that the provider gets, and the spelling of the draft's tags."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from psycopg import OperationalError

from enrichment import vocabulary
from enrichment.providers.stub import StubProvider
from enrichment.vocabulary import KEPT_SECONDS, Vocabularies
from items.states import Status
from postgres.session import Fetch, Session
from tests.enrichment.scripted import ScriptedProvider, draft
from tests.items.factories import make_item
from tests.plugins.worker import Database, WorkerMaker


class Library:
    """Replaces the query, and records the owners of each call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tags: dict[int, tuple[str, ...]] = {}
        self.asked_for: list[set[int]] = []
        self.error: Exception | None = None
        monkeypatch.setattr(vocabulary, "most_used_tags", self._most_used_tags)

    async def _most_used_tags(self, _fetch: Fetch, owner_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
        self.asked_for.append(set(owner_ids))
        if self.error:
            raise self.error
        return {owner_id: self.tags.get(owner_id, ()) for owner_id in owner_ids}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    return Library(monkeypatch)


@pytest.fixture
def subject(library: Library) -> Vocabularies:
    return Vocabularies(Session(deadline_seconds=10).fetch)


async def test_provider_gets_the_tags_of_the_owner_alone(
    owner: User, stranger: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    await database.run(lambda: make_item(owner, status=Status.ARCHIVED, tags=["rivers"]))
    await database.run(lambda: make_item(stranger, status=Status.ARCHIVED, tags=["secret project"]))

    async with working(provider):
        (item,) = await database.capture(owner, "mine")
        (other,) = await database.capture(stranger, "theirs")
        for captured in (item, other):
            await database.reaches(captured, Status.READY_TO_CONFIRM)

    assert provider.vocabularies == {"mine": ["rivers"], "theirs": ["secret project"]}


async def test_drafted_tag_becomes_the_spelling_of_the_owner(
    owner: User, stranger: User, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    await database.run(lambda: make_item(owner, status=Status.ARCHIVED, tags=["machine learning", "river"]))
    await database.run(lambda: make_item(stranger, status=Status.ARCHIVED, tags=["note-taking"]))
    provider.script["text"] = [draft(tags=("Machine-Learning", "rivers", "note taking"))]

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    assert item.tags == ["machine learning", "river", "note taking"]


async def test_item_is_enriched_when_the_vocabulary_is_unavailable(
    owner: User, library: Library, database: Database, working: WorkerMaker, provider: ScriptedProvider
) -> None:
    library.error = OperationalError("the text of a database error")

    async with working(provider):
        (item,) = await database.capture(owner, "text")
        await database.reaches(item, Status.READY_TO_CONFIRM)

    assert provider.vocabularies == {"text": []}


async def test_items_claimed_together_share_one_query(subject: Vocabularies, library: Library) -> None:
    library.tags = {number: (f"tag {number}",) for number in range(50)}

    answers = await asyncio.gather(*(subject.get(number % 50) for number in range(200)))

    assert library.asked_for == [set(range(50))]
    assert [answer.tags for answer in answers] == [[f"tag {number % 50}"] for number in range(200)]


async def test_vocabulary_is_cached_for_some_seconds(
    subject: Vocabularies, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.tags = {1: ("before",)}
    first = (await subject.get(1)).tags
    library.tags = {1: ("after",)}

    second = (await subject.get(1)).tags
    later = time.monotonic() + KEPT_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    third = (await subject.get(1)).tags

    assert (first, second, third) == (["before"], ["before"], ["after"])
    assert library.asked_for == [{1}, {1}]


async def test_old_vocabulary_is_used_when_the_query_fails(
    subject: Vocabularies, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.tags = {1: ("before",)}
    await subject.get(1)
    library.error = OperationalError()
    later = time.monotonic() + KEPT_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert (await subject.get(1)).tags == ["before"]
    assert (await subject.get(2)).tags == []
    assert library.asked_for == [{1}, {1}, {2}]


async def test_cancelled_item_does_not_cancel_the_query(subject: Vocabularies, library: Library) -> None:
    library.tags = {1: ("river",)}
    cancelled = asyncio.create_task(subject.get(1))
    waiting = asyncio.create_task(subject.get(1))
    await asyncio.sleep(0)  # both have requested their tags

    cancelled.cancel()
    with suppress(asyncio.CancelledError):
        await cancelled

    assert (await waiting).tags == ["river"]
    assert library.asked_for == [{1}]


async def test_unexpected_error_means_no_tags(subject: Vocabularies, library: Library) -> None:
    library.error = TypeError("a bug")

    asking = asyncio.create_task(subject.get(1))

    assert (await asyncio.wait_for(asking, 5)).tags == []


async def test_number_of_cached_owners_is_bounded(
    subject: Vocabularies, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "MOST_OWNERS", 10)
    for number in range(30):
        await subject.get(number)

    await subject.get(29)
    await subject.get(0)

    assert library.asked_for == [*({number} for number in range(30)), {0}]
    assert len(subject._known) <= 11


async def test_deceptive_tags_are_left_out(subject: Vocabularies, library: Library) -> None:
    library.tags = {1: ("fine", "two\nlines", "\x1b[31mred", "\u202egnp", "x" * 51, "", " padded", "реки")}

    assert (await subject.get(1)).tags == ["fine", "реки"]


async def test_stub_uses_the_words_of_the_owner(owner: User, database: Database, working: WorkerMaker) -> None:
    await database.run(lambda: make_item(owner, status=Status.ARCHIVED, tags=["light-house"]))

    async with working(StubProvider()):
        (item,) = await database.capture(owner, "The lighthouse shone. Ships saw the lighthouse. A lighthouse helps.")
        item = await database.reaches(item, Status.READY_TO_CONFIRM)

    assert "light-house" in item.tags
