"""The interface of all providers: text in, result out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from enrichment.schemas import EnrichmentResult


class EnrichmentProvider(ABC):
    """Turns a text into a result. Knows no database and no queue.

    One provider serves many texts at the same time, in one event loop. `requests` counts what it has sent for them.
    """

    requests = 0

    @abstractmethod
    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        """Return the draft, or raise EnrichmentError.

        `vocabulary` has the tags that the owner uses most, as a hint.
        """

    async def close(self) -> None:  # noqa: B027  # optional
        """Close connections. Called once, when the worker has stopped."""
