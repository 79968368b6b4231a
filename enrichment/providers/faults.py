"""Translates exceptions of the model libraries into EnrichmentError.

Class names, HTTP statuses, Retry-After and the machine words of error bodies are read, and no other text: messages may
hold keys and the user's text, and litellm misreads the status when the text mentions another one.

With a status, the error is the provider's. Without one, the class decides: connections and time-outs are transient,
everything else is permanent, because it would come again with every try.
"""

from collections.abc import Iterator
from http import HTTPStatus

import structlog

from enrichment.errors import (
    EnrichmentError,
    InvalidOutput,
    KeyMissing,
    ModelDeclined,
    OutputCutOff,
    ParameterRefused,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RequestUnsendable,
    TextTooLong,
    UnexpectedFailure,
    UnreadableReply,
)
from enrichment.providers import error_body
from enrichment.providers.error_body import ErrorBody
from enrichment.providers.fault_tables import (
    BY_CLASS,
    BY_STATUS,
    BY_WORD,
    FUNCTIONS_FOR_KEYS,
    HTTP_LIBRARIES,
    PARAMETER_STATUSES,
)
from enrichment.providers.retry_after import retry_after_of

logger = structlog.get_logger(__name__)

# Around any exception while a request is sent.
CONNECTION_ERROR = "openai.APIConnectionError"
# What litellm raises for a missing key and for a reply that it cannot read.
NO_RESPONSE_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.INTERNAL_SERVER_ERROR})


def fault_of(error: BaseException) -> EnrichmentError:
    """Return the EnrichmentError for an exception, without a reference to it."""
    chain = tuple(_chain(error))
    status = _status(chain)
    body = error_body.read(chain)
    fault = _error_class(chain, status, body)(
        cause=_cause_name(chain, status),
        http_status=status,
        retry_after=_retry_after(chain),
    )
    if isinstance(fault, ParameterRefused):
        fault.parameter = min(body.parameters)
    elif isinstance(fault, UnexpectedFailure):
        logger.error("enrichment.crashed", exc_info=error)  # the log has no message
    return fault


def fault_of_unusable_reply(error: BaseException, *, has_reply: bool) -> EnrichmentError:
    """Return the EnrichmentError for a reply that Instructor could not use, or for its failure without a reply."""
    names = [type(each).__name__ for each in _chain(error)]
    # Instructor wraps the cause in an exception of its own, unless the reply was cut off.
    cause = names[min(1, len(names) - 1)]
    if not has_reply:
        logger.error("enrichment.crashed", exc_info=error)
        return UnexpectedFailure(cause=cause)
    return {"IncompleteOutputException": OutputCutOff, "AssertionError": ModelDeclined}.get(cause, InvalidOutput)(
        cause=cause
    )


def _error_class(chain: tuple[BaseException, ...], status: int | None, body: ErrorBody) -> type[EnrichmentError]:
    if status is None:
        return _class_without_status(chain)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:  # Groq calls it a rate limit
        return TextTooLong
    by_word = next((kind for kind, words in BY_WORD if not words.isdisjoint(body.words)), None)
    if by_word is not None:
        return by_word
    if status in PARAMETER_STATUSES and body.parameters:
        return ParameterRefused
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return BY_STATUS.get(status, ProviderUnavailable)
    return BY_STATUS.get(status, ProviderRefused)


def _class_without_status(chain: tuple[BaseException, ...]) -> type[EnrichmentError]:
    """Decide by the first exception whose class means something, or by what wraps it."""
    if kind := next(filter(None, map(_class_of, chain)), None):
        return kind
    if any(map(_is_timeout, chain)):
        return ProviderTimeout
    if any(_full_name(type(error)) == CONNECTION_ERROR for error in chain):
        return ProviderUnavailable
    if getattr(chain[0], "status_code", None) == HTTPStatus.UNAUTHORIZED:
        return KeyMissing
    return UnreadableReply if all(map(_is_library_made, chain)) else UnexpectedFailure


def _class_of(error: BaseException) -> type[EnrichmentError] | None:
    if _is_library_made(error):
        return None
    if _is_timeout(error):
        return ProviderTimeout
    if isinstance(error, ValueError):
        package, function = _raised_in(error)
        if package in HTTP_LIBRARIES:
            return RequestUnsendable
        if function in FUNCTIONS_FOR_KEYS:
            return KeyMissing
    names = map(_full_name, type(error).__mro__)
    return next((BY_CLASS[name] for name in names if name in BY_CLASS), None)


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _raised_in(error: BaseException) -> tuple[str, str]:
    """Return the top-level package and the function of the innermost frame."""
    traceback, place = error.__traceback__, ("", "")
    while traceback is not None:
        frame = traceback.tb_frame
        place = (frame.f_globals.get("__name__", "").partition(".")[0], frame.f_code.co_name)
        traceback = traceback.tb_next
    return place


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and its causes, as a traceback shows them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _status(chain: tuple[BaseException, ...]) -> int | None:
    """Return the HTTP status that the provider sent, or that litellm gives to a failure before or without a response.

    litellm reports 500, 422 or 200 where a reply could not be read, so its own status counts only if there is no cause.
    """
    for error in reversed(chain):
        response = getattr(error, "response", None)
        status = getattr(response, "status_code", None) if response is not None else getattr(error, "status_code", None)
        if isinstance(status, int) and not _is_library_made(error):
            return status
    status = getattr(chain[0], "status_code", None)
    is_error = isinstance(status, int) and status >= HTTPStatus.BAD_REQUEST and status not in NO_RESPONSE_STATUSES
    return status if is_error and all(map(_is_library_made, chain)) else None


def _cause_name(chain: tuple[BaseException, ...], status: int | None) -> str:
    """Return litellm's class name for a status, or else that of the timeout or of the innermost cause."""
    if status is not None:
        return type(chain[0]).__name__
    return type(next(filter(_is_timeout, chain), chain[-1])).__name__


def _is_library_made(error: BaseException) -> bool:
    """Return whether litellm made the exception and its response, or openai wrapped another exception.

    litellm's subclass of httpx.HTTPStatusError has the provider's response.
    """
    name = _full_name(type(error))
    is_http = any(base.__module__ == "httpx" for base in type(error).__mro__)
    return (name.startswith("litellm.") and not is_http) or name == CONNECTION_ERROR


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or type(error).__name__.endswith(("Timeout", "TimeoutError"))


def _retry_after(chain: tuple[BaseException, ...]) -> float | None:
    waits = (retry_after_of(getattr(error, "response", None)) for error in reversed(chain))
    return next((seconds for seconds in waits if seconds is not None), None)
