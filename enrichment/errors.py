"""The errors of enrichment, the only ones that are stored or shown.

::

    EnrichmentError
    ├── ProviderTimeout        LLM_TIMEOUT            transient
    ├── ProviderUnavailable    LLM_API_ERROR          transient: unreachable or overloaded
    ├── RateLimited            LLM_API_ERROR          transient, and no sign that the provider is down
    ├── ProviderRefused        LLM_API_ERROR          permanent: the request itself, or the text in it
    │   ├── KeyRefused
    │   ├── ModelUnknown
    │   ├── QuotaExhausted
    │   ├── ParameterRefused
    │   ├── TextTooLong
    │   └── TextRefused
    ├── RequestUnsendable      LLM_API_ERROR          permanent: the settings or the installation of the worker
    │   ├── KeyMissing
    │   └── PackageMissing
    ├── UnreadableReply        LLM_API_ERROR          permanent: no reply in the provider's protocol
    ├── InvalidOutput          LLM_VALIDATION_ERROR   permanent: the reply is not a valid draft
    │   ├── FormatMissed
    │   ├── OutputCutOff
    │   └── ModelDeclined
    ├── UnexpectedFailure      LLM_API_ERROR          permanent: a bug, in the provider's library or in ours
    └── Abandoned              ENRICHMENT_ABANDONED   permanent: every worker that took the item died

Each class has a reason, with its code and its fixed sentence (items/reasons.py). The provider's own message is never
kept: it may hold a key or the user's text.
"""

from typing import ClassVar

from enrichment.schemas import Usage
from items.reasons import Reason


class EnrichmentError(Exception):
    """The attempt failed.

    `usage` is the cost of the attempt, and `retry_after` the provider's Retry-After in seconds. `cause`, the class name
    of the library's exception, and `http_status` are for the log.
    """

    reason: ClassVar[Reason]
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
        """The error that is stored on the item and shown to its owner."""
        return f"{self.reason.code}: {self.reason.sentence}"


class Interrupted(Exception):
    """The call was cancelled after replies had come. Raised in place of asyncio.CancelledError, with their usage."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class ProviderTimeout(EnrichmentError):
    reason = Reason.TIMED_OUT
    is_transient = True


class ProviderUnavailable(EnrichmentError):
    reason = Reason.PROVIDER_UNAVAILABLE
    is_transient = True


class RateLimited(EnrichmentError):
    """The provider responds, but accepts no more requests for now.

    Does not count as an attempt, up to LITEVAULT_ENRICH_MAX_REFUNDS times.
    """

    reason = Reason.RATE_LIMITED
    is_transient = True


class ProviderRefused(EnrichmentError):
    reason = Reason.REQUEST_REFUSED


class KeyRefused(ProviderRefused):
    reason = Reason.KEY_REFUSED


class ModelUnknown(ProviderRefused):
    reason = Reason.MODEL_UNKNOWN


class QuotaExhausted(ProviderRefused):
    reason = Reason.QUOTA_EXHAUSTED


class ParameterRefused(ProviderRefused):
    """`parameter` is the name of a parameter that LiteVault sends."""

    reason = Reason.PARAMETER_REFUSED
    parameter = ""


class TextTooLong(ProviderRefused):
    reason = Reason.TEXT_TOO_LONG


class TextRefused(ProviderRefused):
    reason = Reason.TEXT_REFUSED


class RequestUnsendable(EnrichmentError):
    reason = Reason.REQUEST_UNSENDABLE


class KeyMissing(RequestUnsendable):
    reason = Reason.KEY_MISSING


class PackageMissing(RequestUnsendable):
    reason = Reason.PACKAGE_MISSING


class UnreadableReply(EnrichmentError):
    reason = Reason.UNREADABLE_REPLY


class InvalidOutput(EnrichmentError):
    reason = Reason.INVALID_OUTPUT


class FormatMissed(InvalidOutput):
    """The provider checked the reply, and kept it back. A retry may help."""

    reason = Reason.FORMAT_MISSED


class OutputCutOff(InvalidOutput):
    reason = Reason.OUTPUT_CUT_OFF


class ModelDeclined(InvalidOutput):
    reason = Reason.MODEL_DECLINED


class UnexpectedFailure(EnrichmentError):
    reason = Reason.UNEXPECTED_FAILURE


class Abandoned(EnrichmentError):
    reason = Reason.ABANDONED
