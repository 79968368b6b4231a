"""What every provider is: text in, result out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from enrichment.schemas import EnrichmentResult


class EnrichmentProvider(ABC):
    """Turns a text into a result. Knows no database and no queue.

    One provider serves many texts at the same time, in one event loop.
    With `uses_vocabulary` the worker looks up the tags of each owner, and drafts are spelled as these are.
    """

    uses_vocabulary: ClassVar[bool] = False

    @abstractmethod
    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        """Return the result. Raises EnrichmentError, and nothing else, when there is none.

        `vocabulary` are the tags that the owner of the text uses most: a hint, which a provider may ignore.
        """

    async def close(self) -> None:  # noqa: B027  # most providers have nothing to give back
        """Give connections back. Called once, when the worker has stopped."""
