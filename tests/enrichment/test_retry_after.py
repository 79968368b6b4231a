"""When a provider accepts the next request, in all the forms that providers send."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest

from enrichment.providers.retry_after import MAX_RETRY_AFTER_SECONDS, retry_after_of, seconds_of


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


GEMINI = (
    '{"error": {"code": 429, "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]}}'
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1.5", 1.5),
        ("-3", 0),
        ("1e9", MAX_RETRY_AFTER_SECONDS),
        ("inf", MAX_RETRY_AFTER_SECONDS),
        ("1s", 1),
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1m20.5s", 80.5),
        ("1h", 3600),
        ("1d2h", MAX_RETRY_AFTER_SECONDS),
        ("7.66s", 7.66),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("2015-10-21T07:28:00Z", 0),
    ],
)
def test_seconds_are_read_from_every_form(value: str, seconds: float) -> None:
    assert seconds_of(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "nan",
        "",
        "Mon, 99 Foo 2026",
        "5x",
        "s",
        "1s1m",
        "9" * 400 + "s",
        "Mon, 01 Jan 2026 00:00:00 +9999999999",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    ],
)
def test_invalid_value_is_ignored(value: str) -> None:
    assert seconds_of(value) is None


@pytest.mark.parametrize(
    "form",
    [
        "{:%a, %d %b %Y %H:%M:%S} GMT",
        "{:%a, %d %b %Y %H:%M:%S} -0000",
        "{:%Y-%m-%dT%H:%M:%S+00:00}",
        "{:%Y-%m-%dT%H:%M:%S.%fZ}",
        "{:%Y-%m-%dT%H:%M:%S}",
    ],
)
def test_date_is_read_as_the_time_until_then(form: str) -> None:
    assert seconds_of(form.format(in_seconds(600))) == pytest.approx(600, abs=120)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, "", 1.5),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, "", 2),
        ({"retry-after-ms": "999999999"}, "", MAX_RETRY_AFTER_SECONDS),
        ({"Retry-After": "7"}, GEMINI, 7),
        ({}, GEMINI, 34),
        ({}, "x" * 1_000_000 + GEMINI, None),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, "", 1),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "0",
            },
            "",
            360,
        ),
        ({"X-RateLimit-Reset": "20ms"}, "", 0.02),
        ({"RateLimit-Reset": "50"}, "", 50),
        ({"x-ratelimit-reset-requests": "soon"}, "", None),
        ({"x-ratelimit-limit-requests": "60"}, "", None),
        ({}, '{"retryDelay": "soon"}', None),
        ({}, "", None),
    ],
)
def test_response_says_when_to_retry(headers: dict[str, str], body: str, seconds: float | None) -> None:
    assert retry_after_of(httpx.Response(429, headers=headers, text=body)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "form",
    [
        lambda moment: f"{moment.timestamp():.0f}",
        lambda moment: f"{moment.timestamp() * 1000:.0f}",
        datetime.isoformat,
    ],
    ids=["seconds", "milliseconds", "ISO 8601"],
)
@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "anthropic-ratelimit-input-tokens-reset"])
def test_reset_may_be_a_moment(name: str, form: Callable[[datetime], str]) -> None:
    assert retry_after_of(httpx.Response(429, headers={name: form(in_seconds(600))})) == pytest.approx(600, abs=120)


def test_body_that_was_not_read_is_ignored() -> None:
    assert retry_after_of(httpx.Response(429, stream=httpx.ByteStream(GEMINI.encode()))) is None


@pytest.mark.parametrize(
    "response",
    [None, object(), SimpleNamespace(headers=None, content=None), SimpleNamespace(headers=["a"], content=GEMINI)],
)
def test_object_that_is_no_response_is_ignored(response: object) -> None:
    assert retry_after_of(response) is None
