"""The translation of library errors that the fake server cannot cause."""

import pytest

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
from enrichment.providers.faults import fault_of, fault_of_unusable_reply


class ReadTimeout(Exception):
    """Named as in httpx."""


def test_timeout_of_a_library_is_a_provider_timeout() -> None:
    error = RuntimeError("wrapped")
    error.__cause__ = ReadTimeout("the text")

    fault = fault_of(error)

    assert type(fault) is ProviderTimeout
    assert fault.cause == "ReadTimeout"


def test_cycle_of_causes_is_read_once() -> None:
    first, second = RuntimeError("first"), OSError("second")
    first.__cause__, second.__cause__ = second, first

    fault = fault_of(first)

    assert type(fault) is ProviderUnavailable
    assert fault.cause == "OSError"


def test_failure_before_any_reply_is_unexpected() -> None:
    assert type(fault_of_unusable_reply(KeyError("messages"), has_reply=False)) is UnexpectedFailure


class Response:
    def __init__(self, status_code: object = None, headers: object = None) -> None:
        self.status_code = status_code
        self.headers = headers


class HttpError(Exception):
    """Raised as by the providers' libraries."""

    def __init__(self, status: object = None, *, headers: object = None, body: object = None) -> None:
        super().__init__("private")
        self.response = Response(status, headers)
        self.body = body


class LibraryError(Exception):
    """Raised as by litellm, whose status may not be the provider's."""

    __module__ = "litellm.exceptions"

    def __init__(self, status: object = None, *, response: Response | None = None) -> None:
        super().__init__("private")
        self.status_code = status
        self.response = response


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def in_context_of(error: Exception, context: Exception, *, is_suppressed: bool = False) -> Exception:
    error.__context__ = context
    error.__suppress_context__ = is_suppressed
    return error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRefused),
        (401, KeyRefused),
        (402, QuotaExhausted),
        (403, KeyRefused),
        (404, ModelUnknown),
        (408, ProviderTimeout),
        (409, ProviderUnavailable),
        (418, ProviderRefused),
        (425, ProviderUnavailable),
        (429, RateLimited),
        (499, ProviderRefused),
        (500, ProviderUnavailable),
        (503, ProviderUnavailable),
        (504, ProviderTimeout),
        (529, ProviderUnavailable),
    ],
)
def test_status_decides_the_error(status: int, kind: type[EnrichmentError]) -> None:
    fault = fault_of(HttpError(status))

    assert type(fault) is kind
    assert (fault.http_status, fault.cause) == (status, "HttpError")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HttpError(), None),
        (HttpError("503"), None),
        (caused_by(LibraryError(500), HttpError(401)), 401),
        (caused_by(HttpError(401), HttpError(503)), 503),
        (caused_by(HttpError(401), OSError()), 401),
        (LibraryError(500), None),
        (LibraryError(500, response=Response(500)), None),
        (LibraryError(399), None),
        (LibraryError(400), 400),
        (LibraryError(499), 499),
        (LibraryError("400"), None),
        (OSError(), None),
    ],
)
def test_status_is_the_one_that_the_provider_sent(error: Exception, status: int | None) -> None:
    assert fault_of(error).http_status == status


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (caused_by(LibraryError(500), HttpError(401)), "LibraryError"),
        (caused_by(LibraryError(500), caused_by(RuntimeError(), OSError())), "OSError"),
        (caused_by(LibraryError(500), caused_by(ReadTimeout(), OSError())), "ReadTimeout"),
        (in_context_of(RuntimeError(), OSError()), "OSError"),
        (in_context_of(RuntimeError(), OSError(), is_suppressed=True), "RuntimeError"),
        (in_context_of(caused_by(RuntimeError(), KeyError()), OSError()), "KeyError"),
    ],
)
def test_cause_is_the_most_specific_class_name(error: Exception, cause: str) -> None:
    assert fault_of(error).cause == cause


class APITimeoutError(Exception):
    """Named as in OpenAI's library."""


@pytest.mark.parametrize("error", [TimeoutError(), ReadTimeout(), APITimeoutError()])
def test_timeout_is_recognised_by_type_or_name(error: Exception) -> None:
    assert type(fault_of(error)) is ProviderTimeout


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": "insufficient_quota"}, QuotaExhausted),
        ({"type": "insufficient_quota"}, QuotaExhausted),
        ({"code": ["insufficient_quota"], "type": None}, RateLimited),
        ({"message": "insufficient_quota"}, RateLimited),
        ({"code": "rate_limit_exceeded"}, RateLimited),
        ("insufficient_quota", RateLimited),
        (None, RateLimited),
    ],
)
def test_exhausted_quota_differs_from_a_rate_limit(body: object, kind: type[EnrichmentError]) -> None:
    error = caused_by(LibraryError(429), HttpError(429, body=body))

    assert type(fault_of(error)) is kind


def test_code_of_an_exhausted_quota_needs_status_429() -> None:
    assert type(fault_of(HttpError(400, body={"code": "insufficient_quota"}))) is ProviderRefused


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (HttpError(429, headers={"retry-after": "7"}), 7),
        (HttpError(429, headers={"retry-after": 7}), 7),
        (HttpError(429, headers={"retry-after": ""}), None),
        (HttpError(429, headers={"retry": "7"}), None),
        (HttpError(429, headers="retry-after"), None),
        (caused_by(HttpError(429, headers={"retry-after": "7"}), HttpError(headers={"retry-after": "8"})), 8),
        (caused_by(HttpError(429, headers={"retry-after": "7"}), HttpError(headers={})), 7),
        (OSError(), None),
    ],
)
def test_retry_after_is_read_from_the_innermost_response(error: Exception, seconds: float | None) -> None:
    assert fault_of(error).retry_after == seconds


class IncompleteOutputException(Exception):
    """Named as in Instructor, for a reply that was cut off."""


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (IncompleteOutputException(), OutputCutOff, "IncompleteOutputException"),
        (caused_by(RuntimeError(), AssertionError()), ModelDeclined, "AssertionError"),
        (caused_by(RuntimeError(), caused_by(KeyError(), AssertionError())), InvalidOutput, "KeyError"),
        (ValueError(), InvalidOutput, "ValueError"),
    ],
)
def test_useless_reply_is_invalid_output(error: Exception, kind: type[EnrichmentError], cause: str) -> None:
    fault = fault_of_unusable_reply(error, has_reply=True)

    assert type(fault) is kind
    assert fault.cause == cause


def test_failure_before_any_reply_has_its_cause() -> None:
    assert fault_of_unusable_reply(caused_by(RuntimeError(), KeyError()), has_reply=False).cause == "KeyError"
