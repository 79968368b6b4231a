"""Translates exceptions of the model libraries into EnrichmentError.

Only class names, HTTP statuses, error codes and Retry-After are read, never a message: messages may hold keys and the
user's text, and litellm misreads the status when the text mentions another one.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from enrichment.errors import (
    EnrichmentError,
    InvalidOutput,
    KeyRefused,
    ModelDeclined,
    ModelUnknown,
    OutputCutOff,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    UnexpectedFailure,
)
from enrichment.providers.retry_after import retry_after_of

TIMEOUT_STATUSES = frozenset({408, 504})
TRANSIENT_STATUSES = frozenset({409, 425})


def fault_of(error: BaseException) -> EnrichmentError:
    """Return the EnrichmentError for an exception, without a reference to it."""
    chain = tuple(_chain(error))
    status = _status(chain)
    return _error_class(chain, status)(
        cause=_cause_name(chain, status),
        http_status=status,
        retry_after=_retry_after(chain),
    )


def fault_of_unusable_reply(error: BaseException, *, has_reply: bool) -> EnrichmentError:
    """Return the EnrichmentError for a reply that Instructor could not use, or for its failure without a reply."""
    names = [type(each).__name__ for each in _chain(error)]
    # Instructor wraps the cause in an exception of its own, unless the reply was cut off.
    cause = names[min(1, len(names) - 1)]
    if not has_reply:
        return UnexpectedFailure(cause=cause)
    return {"IncompleteOutputException": OutputCutOff, "AssertionError": ModelDeclined}.get(cause, InvalidOutput)(
        cause=cause
    )


def _error_class(chain: tuple[BaseException, ...], status: int | None) -> type[EnrichmentError]:
    if status is None:
        return ProviderTimeout if any(map(_is_timeout, chain)) else ProviderUnavailable
    if status in TIMEOUT_STATUSES:
        return ProviderTimeout
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return QuotaExhausted
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return QuotaExhausted if "insufficient_quota" in _error_codes(chain) else RateLimited
    if status in TRANSIENT_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ProviderUnavailable
    return {401: KeyRefused, 403: KeyRefused, 404: ModelUnknown}.get(status, ProviderRefused)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and its causes, as a traceback shows them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _status(chain: tuple[BaseException, ...]) -> int | None:
    """Return the HTTP status that the provider sent.

    litellm reports 500 where there is none, so its own status counts only where it refuses the request itself.
    """
    for error in reversed(chain):
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int) and not _is_litellm(error):
            return status
    status = getattr(chain[0], "status_code", None)
    is_refusal = isinstance(status, int) and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return status if is_refusal else None


def _cause_name(chain: tuple[BaseException, ...], status: int | None) -> str:
    """Return litellm's class name for a status, or else that of the timeout or of the innermost cause."""
    if status is not None:
        return type(chain[0]).__name__
    return type(next(filter(_is_timeout, chain), chain[-1])).__name__


def _is_litellm(error: BaseException) -> bool:
    return type(error).__module__.startswith("litellm")


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or type(error).__name__.endswith(("Timeout", "TimeoutError"))


def _error_codes(chain: tuple[BaseException, ...]) -> set[Any]:
    """Return the `type` and `code` of the provider's error."""
    bodies = [body for error in chain if isinstance(body := getattr(error, "body", None), Mapping)]
    return {code for body in bodies for name in ("type", "code") if isinstance(code := body.get(name), str)}


def _retry_after(chain: tuple[BaseException, ...]) -> float | None:
    waits = (retry_after_of(getattr(error, "response", None)) for error in reversed(chain))
    return next((seconds for seconds in waits if seconds is not None), None)
