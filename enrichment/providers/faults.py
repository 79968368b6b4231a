"""From what a model library raised to an error of ours.

Only class names, HTTP statuses, machine-readable words and one header are read, never a message: messages
carry keys and the user's text, and the library itself misreads a status when the text talks of another.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
    UnexpectedFailure,
)

TIMEOUT_STATUSES = frozenset({408, 504})
PASSING_STATUSES = frozenset({409, 425, 429})
LONGEST_RETRY_AFTER_SECONDS = 3600.0


def fault_of(error: BaseException) -> EnrichmentError:
    """The error of ours that tells what happened. It holds no reference to the one that was raised."""
    chain = tuple(_chain(error))
    status = _status(chain)
    return _kind(chain, status)(
        cause=_telling_name(chain, status),
        http_status=status,
        retry_after=_retry_after(chain),
    )


def unusable(error: BaseException, *, has_answer: bool) -> EnrichmentError:
    """The error of ours for an answer that Instructor could not use, or for its failure before there was one."""
    names = [type(each).__name__ for each in _chain(error)]
    # Instructor wraps what it found in an error of its own, except for an answer that was cut off.
    cause = names[min(1, len(names) - 1)]
    if not has_answer:
        return UnexpectedFailure(cause=cause)
    return {"IncompleteOutputException": OutputCutOff, "AssertionError": ModelDeclined}.get(cause, InvalidOutput)(
        cause=cause
    )


def _kind(chain: tuple[BaseException, ...], status: int | None) -> type[EnrichmentError]:
    if status is None:
        return ProviderTimeout if any(map(_is_timeout, chain)) else ProviderUnavailable
    if status in TIMEOUT_STATUSES:
        return ProviderTimeout
    if status == 402 or (status == 429 and "insufficient_quota" in _words(chain)):  # noqa: PLR2004  # HTTP says it
        return QuotaExhausted
    if status in PASSING_STATUSES or status >= 500:  # noqa: PLR2004  # see above
        return ProviderUnavailable
    return {401: KeyRefused, 403: KeyRefused, 404: ModelUnknown}.get(status, ProviderRefused)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, as a traceback would show them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _status(chain: tuple[BaseException, ...]) -> int | None:
    """The status that the provider really sent.

    litellm makes up a 500 for whatever has none, so its own word counts only where it refuses a request by itself.
    """
    for error in reversed(chain):
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int) and not _is_litellm(error):
            return status
    verdict = getattr(chain[0], "status_code", None)
    return verdict if isinstance(verdict, int) and 400 <= verdict < 500 else None  # noqa: PLR2004  # HTTP says it


def _telling_name(chain: tuple[BaseException, ...], status: int | None) -> str:
    """What litellm calls a status; where there is none, the timeout, or what lies deepest."""
    if status is not None:
        return type(chain[0]).__name__
    return type(next(filter(_is_timeout, chain), chain[-1])).__name__


def _is_litellm(error: BaseException) -> bool:
    return type(error).__module__.startswith("litellm")


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or type(error).__name__.endswith(("Timeout", "TimeoutError"))


def _words(chain: tuple[BaseException, ...]) -> set[Any]:
    """The machine-readable words of the provider's error."""
    bodies = [body for error in chain if isinstance(body := getattr(error, "body", None), Mapping)]
    return {word for body in bodies for name in ("type", "code") if isinstance(word := body.get(name), str)}


def _retry_after(chain: tuple[BaseException, ...]) -> float | None:
    for error in reversed(chain):
        headers = getattr(getattr(error, "response", None), "headers", None)
        if isinstance(headers, Mapping) and (value := headers.get("retry-after")):
            return seconds_of(str(value))
    return None


def seconds_of(retry_after: str) -> float | None:
    """The value of a Retry-After header, which is a number of seconds or a date. None for nonsense."""
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _seconds_until(retry_after)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
