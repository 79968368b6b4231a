"""The interface of all providers: text in, result out."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from enrichment.schemas import EnrichmentResult


class RateLimit(NamedTuple):
    """The pace at which a model is sent requests, infinite without a limit, and how many it has refused so far."""

    model: str
    requests_per_minute: float
    refused: int


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

    def capacity(self) -> float:
        """Return how many texts may be enriched at the same time, so that no request waits long for a rate limit."""
        return math.inf

    def wait_seconds(self) -> float:
        """Return how long the first request for another text would wait for a rate limit."""
        return 0.0

    def rate_limits(self) -> Sequence[RateLimit]:
        return ()

    async def close(self) -> None:  # noqa: B027  # optional
        """Close connections. Called once, when the worker has stopped."""
