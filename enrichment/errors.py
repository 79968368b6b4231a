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

Each class has a fixed sentence. The provider's own message is never kept: it may hold a key or the user's text.
"""

from typing import ClassVar

from enrichment.schemas import Usage


class EnrichmentError(Exception):
    """The attempt failed.

    `usage` is the cost of the attempt, and `retry_after` the provider's Retry-After in seconds. `cause`, the class name
    of the library's exception, and `http_status` are for the log.
    """

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
        """The error that is stored on the item and shown to its owner."""
        return f"{self.code}: {self.sentence}"


class Interrupted(Exception):
    """The call was cancelled after replies had come. Raised in place of asyncio.CancelledError, with their usage."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class ProviderTimeout(EnrichmentError):
    code = "LLM_TIMEOUT"
    sentence = "The model did not answer in time."
    is_transient = True


class ProviderUnavailable(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = "The model could not be reached or is overloaded."
    is_transient = True


class RateLimited(EnrichmentError):
    """The provider responds, but accepts no more requests for now. Never uses up an attempt."""

    code = "LLM_API_ERROR"
    sentence = "The provider's rate limit left no room for this text for too long. Check the limits of the account."
    is_transient = True


class ProviderRefused(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = (
        "The provider refused the request, without a reason that is known. manage.py doctor sends a test request."
    )


class KeyRefused(ProviderRefused):
    sentence = "The provider refused the key. Check the key, and that it may use this model."


class ModelUnknown(ProviderRefused):
    sentence = "The provider does not know the model. Check the model's name and the address of the provider."


class QuotaExhausted(ProviderRefused):
    sentence = "The quota at the provider is used up. Check the plan and the bill."


class ParameterRefused(ProviderRefused):
    """`parameter` is the name of a parameter that LiteVault sends."""

    sentence = "The model does not accept a parameter of the request. Another mode, or other limits, may help."
    parameter = ""


class TextTooLong(ProviderRefused):
    sentence = "The text is too long for the model. Fewer input tokens may help."


class TextRefused(ProviderRefused):
    sentence = "The text is against the rules of the provider."


class RequestUnsendable(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = "No request could be sent. The key or the address of the provider is not valid."


class KeyMissing(RequestUnsendable):
    sentence = "The key of the provider is missing, or cannot be read."


class PackageMissing(RequestUnsendable):
    sentence = "A Python package that the provider needs is not installed."


class UnreadableReply(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = "The provider's reply could not be read. Check the address of the provider, and the model."


class InvalidOutput(EnrichmentError):
    code = "LLM_VALIDATION_ERROR"
    sentence = "The model answered, but not with a title, a summary, tags and a type that can be used."


class FormatMissed(InvalidOutput):
    """The provider checked the reply, and kept it back. A retry may help."""

    sentence = "The model's answer was not in the format that was asked for, and the provider held it back."


class OutputCutOff(InvalidOutput):
    sentence = "The model's answer was cut off before its end. More output tokens may help."


class ModelDeclined(InvalidOutput):
    sentence = "The model declined to describe this text."


class UnexpectedFailure(EnrichmentError):
    code = "LLM_API_ERROR"
    sentence = "The call to the model failed in an unexpected way. The log of the worker says where."


class Abandoned(EnrichmentError):
    code = "ENRICHMENT_ABANDONED"
    sentence = "Every worker that took this item stopped before it was done."
