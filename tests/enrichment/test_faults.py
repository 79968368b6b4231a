"""The translation of library errors that the fake server cannot cause."""

import asyncio
import errno
import itertools
import json
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from enrichment.errors import (
    EnrichmentError,
    InvalidOutput,
    KeyMissing,
    KeyRefused,
    ModelDeclined,
    ModelUnknown,
    OutputCutOff,
    PackageMissing,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestUnsendable,
    TextTooLong,
    UnexpectedFailure,
    UnreadableReply,
)
from enrichment.providers.error_body import MAX_BYTES, MAX_DEPTH, MAX_FIELDS
from enrichment.providers.faults import fault_of, fault_of_unusable_reply
from tests.enrichment.provider_errors import PROVIDER_ERRORS, ProviderError


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
        ({"code": {"insufficient_quota": 1}, "type": None}, RateLimited),
        ({"message": "insufficient_quota"}, RateLimited),
        ({"code": "rate_limit_exceeded"}, RateLimited),
        ("insufficient_quota", RateLimited),
        (None, RateLimited),
    ],
)
def test_exhausted_quota_differs_from_a_rate_limit(body: object, kind: type[EnrichmentError]) -> None:
    error = caused_by(LibraryError(429), HttpError(429, body=body))

    assert type(fault_of(error)) is kind


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


@pytest.mark.parametrize("case", PROVIDER_ERRORS, ids=lambda case: str(case).replace("…", "..."))
def test_error_of_a_provider_is_recognised(case: ProviderError) -> None:
    fault = fault_of(caused_by(LibraryError(500), answered(case.status, json.dumps(case.body))))

    assert type(fault) is case.error
    assert fault.http_status == case.status
    assert getattr(fault, "parameter", "") == case.parameter


def answered(status: int, text: str) -> httpx.HTTPStatusError:
    """Return the exception of a real response."""
    request = httpx.Request("POST", "http://127.0.0.1/")
    return httpx.HTTPStatusError(
        "private", request=request, response=httpx.Response(status, text=text, request=request)
    )


ECHOES: list[Any] = [
    {"error": {"message": "You wrote: insufficient_quota, code: context_length_exceeded"}},
    {"error": {"message": "You wrote: Your credit balance is too low"}},
    {"error": {"message": "x", "failed_generation": {"code": "insufficient_quota"}}},
    {"detail": [{"loc": ["body", "messages"], "input": {"type": "invalid_api_key", "param": "temperature"}}]},
    {"error": {"message": "x", "content": "insufficient_quota"}},
    ["insufficient_quota"],
]


@pytest.mark.parametrize("body", ECHOES)
def test_text_repeated_in_a_body_decides_nothing(body: Any) -> None:
    assert type(fault_of(answered(400, json.dumps(body)))) is ProviderRefused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "code: insufficient_quota",
        '{"code": "insufficient_quota"',
        "[" * 100_000,
        json.dumps({"code": "insufficient_quota", "message": "x" * MAX_BYTES}),
        json.dumps({"a": [1] * MAX_FIELDS, "code": "insufficient_quota"}),
        '{"a":' * (MAX_DEPTH + 1) + '{"code": "insufficient_quota"}' + "}" * (MAX_DEPTH + 1),
    ],
    ids=["empty", "text", "cut off", "nested lists", "long", "wide", "nested objects"],
)
def test_body_that_cannot_be_read_decides_nothing(text: str) -> None:
    assert type(fault_of(answered(400, text))) is ProviderRefused


def test_body_that_repeats_a_long_text_is_read() -> None:
    body = json.dumps({"error": {"code": "context_length_exceeded", "message": "x" * 200_000}})

    assert type(fault_of(answered(400, body))) is TextTooLong


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("ThrottlingException", RateLimited),
        ("ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/", RateLimited),
        ("SomeException", ProviderRefused),
    ],
)
def test_error_type_in_a_header_of_amazon_is_read(error_type: str, kind: type[EnrichmentError]) -> None:
    error = answered(400, '{"message": "private"}')
    error.response.headers["x-amzn-ErrorType"] = error_type

    assert type(fault_of(error)) is kind


def test_response_whose_body_was_not_read_has_its_status() -> None:
    error = answered(400, "")
    error.response = httpx.Response(403, stream=httpx.ByteStream(b'{"code": "insufficient_quota"}'))

    assert type(fault_of(error)) is KeyRefused


def raised(function: Callable[[], object]) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError


def validate_environment() -> None:
    """Named as in litellm."""
    raise ValueError("private")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModuleNotFoundError("google"), PackageMissing),
        (FileNotFoundError(), KeyMissing),
        (PermissionError(), KeyMissing),
        (ConnectionRefusedError(), ProviderUnavailable),
        (socket.gaierror(), ProviderUnavailable),
        (ssl.SSLCertVerificationError(), ProviderUnavailable),
        (OSError(errno.ENETUNREACH, "private"), ProviderUnavailable),
        (asyncio.IncompleteReadError(b"", 1), ProviderUnavailable),
        (TypeError(), UnreadableReply),
        (AttributeError(), UnreadableReply),
        (KeyError(), UnreadableReply),
        (IndexError(), UnreadableReply),
        (RecursionError(), UnreadableReply),
        (raised(lambda: json.loads("<html>")), UnreadableReply),
        (raised(b"\xff".decode), UnreadableReply),
        (raised(lambda: "\u20ac".encode("latin-1")), RequestUnsendable),
        (raised(lambda: httpx.URL("http://a:b")), RequestUnsendable),
        (httpx.UnsupportedProtocol("private"), RequestUnsendable),
        (httpx.ConnectError("private"), ProviderUnavailable),
        (httpx.LocalProtocolError("private"), RequestUnsendable),
        (raised(validate_environment), KeyMissing),
        (httpx.RemoteProtocolError("private"), ProviderUnavailable),
        (httpx.ReadError("private"), ProviderUnavailable),
        (httpx.ReadTimeout("private"), ProviderTimeout),
        (httpx.DecodingError("private"), UnreadableReply),
        (RuntimeError(), UnexpectedFailure),
        (LibraryError(500), UnreadableReply),
        (LibraryError(503), ProviderUnavailable),
        (LibraryError(401), KeyMissing),
        (caused_by(LibraryError(422), KeyError()), UnreadableReply),
        (caused_by(LibraryError(500), caused_by(httpx.ReadError("private"), KeyError())), ProviderUnavailable),
        (caused_by(LibraryError(500), caused_by(RuntimeError(), ModuleNotFoundError())), PackageMissing),
    ],
    ids=itertools.count(),
)
def test_class_decides_where_there_is_no_status(error: Exception, kind: type[EnrichmentError]) -> None:
    assert type(fault_of(error)) is kind


@pytest.mark.parametrize("translate", [fault_of, partial(fault_of_unusable_reply, has_reply=False)])
def test_only_an_unexpected_error_is_logged_with_its_place(
    translate: Callable[[BaseException], EnrichmentError], caplog: pytest.LogCaptureFixture
) -> None:
    error = RuntimeError()

    translate(error)
    fault_of(httpx.ReadError("private"))

    (record,) = caplog.records
    line = dict(record.msg)  # type: ignore[arg-type]  # of structlog
    assert (line["event"], line["exc_info"]) == ("enrichment.crashed", error)
