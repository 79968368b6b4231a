"""What each owner calls things, at hand when an item of theirs is enriched."""

import asyncio
import time
from collections.abc import Sequence
from math import inf

import psycopg
import structlog

from enrichment.schemas import one_line
from enrichment.spelling import Spellings
from items.texts import TAG_MAX_LENGTH
from items.vocabulary import most_used_tags
from postgres.session import Fetch

logger = structlog.get_logger(__name__)

KEPT_SECONDS = 15.0
# Far more than there are slots, so that nobody is forgotten before being served.
MOST_OWNERS = 5_000

NO_WORDS = Spellings()


class Vocabularies:
    """Remembers the tags of each owner for some seconds.

    Items that are claimed together ask together: one query for all of their owners. When no answer comes in time,
    what was known before has to do.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[int, Spellings] = {}
        self._asked_at: dict[int, float] = {}
        self._wanted: set[int] = set()
        self._asking: asyncio.Task[None] | None = None

    async def of(self, owner_id: int) -> Spellings:
        """The tags of this owner, most used first. Raises nothing."""
        while not self._is_fresh(owner_id):
            self._wanted.add(owner_id)
            self._asking = self._asking or asyncio.create_task(self._ask())
            # Not awaited itself: an item that is cancelled must not take the answer from the others.
            await asyncio.wait({self._asking})
        return self._known.get(owner_id, NO_WORDS)

    def stop(self) -> None:
        """Stop waiting for the database."""
        if self._asking:
            self._asking.cancel()

    def _is_fresh(self, owner_id: int) -> bool:
        return time.monotonic() < self._asked_at.get(owner_id, -inf) + KEPT_SECONDS

    async def _ask(self) -> None:
        """Ask once for everybody who is wanted by the time this begins."""
        owner_ids, self._wanted = self._wanted, set()
        try:
            found = await most_used_tags(self._fetch, owner_ids)
        except psycopg.Error as error:
            logger.warning("vocabulary.missed", owners=len(owner_ids), cause=type(error).__name__)
        else:
            self._make_room()
            self._known |= {owner_id: Spellings(usable(tags)) for owner_id, tags in found.items()}
        finally:
            self._asked_at |= dict.fromkeys(owner_ids, time.monotonic())
            self._asking = None

    def _make_room(self) -> None:
        """Forget everybody once in a while: whoever has items is asked for again."""
        if len(self._asked_at) > MOST_OWNERS:
            self._asked_at.clear()
            self._known.clear()


def usable(tags: Sequence[str]) -> list[str]:
    """Without those that would deceive a reader: plain SQL takes any, and they would come back in a draft."""
    return [tag for tag in tags if tag and one_line(tag, limit=TAG_MAX_LENGTH) == tag]
