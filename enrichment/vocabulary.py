"""The tags that each owner uses, cached for the enrichment of their items."""

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
# Far more than there are slots, so that no owner is forgotten before use.
MOST_OWNERS = 5_000

NO_TAGS = Spellings()


class Vocabularies:
    """Caches the tags of each owner for some seconds.

    One query serves the owners of all items that are claimed together. If it fails, the previous tags are used.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[int, Spellings] = {}
        self._fetched_at: dict[int, float] = {}
        self._requested: set[int] = set()
        self._query: asyncio.Task[None] | None = None

    async def get(self, owner_id: int) -> Spellings:
        """Return the tags of an owner, most used first. Raise no database error."""
        while not self._is_fresh(owner_id):
            self._requested.add(owner_id)
            self._query = self._query or asyncio.create_task(self._fetch_requested())
            # Not awaited itself: the cancellation of one item must not cancel the query of all.
            await asyncio.wait({self._query})
        return self._known.get(owner_id, NO_TAGS)

    def stop(self) -> None:
        if self._query:
            self._query.cancel()

    def _is_fresh(self, owner_id: int) -> bool:
        return time.monotonic() < self._fetched_at.get(owner_id, -inf) + KEPT_SECONDS

    async def _fetch_requested(self) -> None:
        """Fetch the tags of all owners requested so far."""
        owner_ids, self._requested = self._requested, set()
        try:
            found = await most_used_tags(self._fetch, owner_ids)
        except psycopg.Error as error:
            logger.warning("vocabulary.missed", owners=len(owner_ids), cause=type(error).__name__)
        else:
            self._evict()
            self._known |= {owner_id: Spellings(usable(tags)) for owner_id, tags in found.items()}
        finally:
            self._fetched_at |= dict.fromkeys(owner_ids, time.monotonic())
            self._query = None

    def _evict(self) -> None:
        if len(self._fetched_at) > MOST_OWNERS:
            self._fetched_at.clear()
            self._known.clear()


def usable(tags: Sequence[str]) -> list[str]:
    """Return the tags that are safe to show in a draft. Plain SQL can store any."""
    return [tag for tag in tags if tag and one_line(tag, limit=TAG_MAX_LENGTH) == tag]
