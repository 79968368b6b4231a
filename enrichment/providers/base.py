"""What every provider is: text in, result out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from enrichment.schemas import EnrichmentResult


class EnrichmentProvider(ABC):
    """Turns a text into a result. Knows no database and no queue.

    One provider serves many texts at the same time, in one event loop.
    """

    @abstractmethod
    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        """Return the result. Raises EnrichmentError, and nothing else, when there is none.

        `vocabulary` are the tags that the owner of the text uses most: a hint, which a provider may ignore.
        The worker spells the tags of the draft as the owner does.
        """

    async def close(self) -> None:  # noqa: B027  # most providers have nothing to give back
        """Give connections back. Called once, when the worker has stopped."""
