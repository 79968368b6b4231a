"""What can go wrong while a text is enriched: the only errors that are stored or shown.

::

    EnrichmentError
    ├── ProviderTimeout      LLM_TIMEOUT            transient
    ├── InvalidOutput        LLM_VALIDATION_ERROR   permanent
    ├── ProviderUnavailable  LLM_API_ERROR          transient: overloaded, unreachable, rate limited
    ├── ProviderRefused      LLM_API_ERROR          permanent: wrong key, unknown model, bad request, quota
    └── Abandoned            ENRICHMENT_ABANDONED   permanent: every worker that took the item died

Each class carries a fixed sentence. What the provider said is never kept: it may hold a key or the user's text.
"""

from typing import ClassVar

from enrichment.schemas import Usage


class EnrichmentError(Exception):
    """The attempt gave no result. `retry_after` is in seconds, where the provider asked for a pause."""

    code: ClassVar[str]
    sentence: ClassVar[str]
    is_transient: ClassVar[bool] = False

    def __init__(
        self,
        *,
        usage: Usage | None = None,
        retry_after: float | None = None,
        cause: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(self.message)
        self.usage = usage
        self.retry_after = retry_after
        self.cause = cause
        self.http_status = http_status

    @property
    def message(self) -> str:
        """What is stored on the item and shown to its owner."""
        return f"{self.code}: {self.sentence}"


class ProviderTimeout(EnrichmentError):
    code = "LLM_TIMEOUT"
    sentence = "The model did not answer in time."
    is_transient = True


class InvalidOutput(EnrichmentError):
    code = "LLM_VALIDATION_ERROR"
    sentence = "The model answered, but not with a title, a summary, tags and a type that can be used."


class ProviderUnavailable(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = "The model could not be reached or is overloaded."
    is_transient = True


class ProviderRefused(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = "The provider refused the request. Check the key, the model's name and the quota."


class Abandoned(EnrichmentError):
    code = "ENRICHMENT_ABANDONED"
    sentence = "Every worker that took this item stopped before it was done."
