"""What an error of a library is taken for, where the fake server cannot show it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from enrichment.errors import ProviderTimeout, ProviderUnavailable, UnexpectedFailure
from enrichment.providers.faults import LONGEST_RETRY_AFTER_SECONDS, fault_of, seconds_of, unusable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("1.5", 1.5), ("-3", 0), ("1e9", LONGEST_RETRY_AFTER_SECONDS), ("inf", LONGEST_RETRY_AFTER_SECONDS)],
)
def test_retry_after_in_seconds(header: str, seconds: float) -> None:
    assert seconds_of(header) == seconds


@pytest.mark.parametrize("header", ["soon", "nan", "", "Mon, 99 Foo 2026"])
def test_retry_after_that_is_nonsense(header: str) -> None:
    assert seconds_of(header) is None


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=60)

    assert seconds_of(format_datetime(moment, usegmt=True)) == pytest.approx(60, abs=2)


def test_retry_after_as_a_date_that_is_past() -> None:
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0


class ReadTimeout(Exception):
    """As httpx names its own."""


def test_timeout_of_a_library_is_a_timeout() -> None:
    error = RuntimeError("wrapped")
    error.__cause__ = ReadTimeout("the text")

    fault = fault_of(error)

    assert type(fault) is ProviderTimeout
    assert fault.cause == "ReadTimeout"


def test_errors_that_name_each_other_as_cause_are_read_once() -> None:
    first, second = RuntimeError("first"), OSError("second")
    first.__cause__, second.__cause__ = second, first

    fault = fault_of(first)

    assert type(fault) is ProviderUnavailable
    assert fault.cause == "OSError"


def test_failure_before_any_answer_is_not_blamed_on_the_model() -> None:
    assert type(unusable(KeyError("messages"), has_answer=False)) is UnexpectedFailure
