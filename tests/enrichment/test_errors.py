import re

import pytest

from enrichment import errors
from enrichment.errors import EnrichmentError, Interrupted, ProviderUnavailable
from enrichment.schemas import Usage
from items.models.limits import ERROR_FORM, ERROR_MAX_LENGTH, REASON_MAX_LENGTH
from items.reasons import Reason

ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, EnrichmentError) and kind is not EnrichmentError
]


def test_each_reason_belongs_to_one_error() -> None:
    reasons = [kind.reason for kind in ERRORS]

    assert sorted(reasons) == sorted(Reason)


@pytest.mark.parametrize("kind", ERRORS)
def test_message_is_the_code_and_sentence_of_the_reason(kind: type[EnrichmentError]) -> None:
    message = kind().message

    assert message == f"{kind.reason.code}: {kind.reason.sentence}"
    assert re.search(ERROR_FORM, message)
    assert len(message) <= ERROR_MAX_LENGTH


@pytest.mark.parametrize("reason", Reason)
def test_reason_fits_its_column_and_has_whole_sentences(reason: Reason) -> None:
    assert re.fullmatch("[A-Z]+(_[A-Z]+)*", reason)
    assert len(reason) <= REASON_MAX_LENGTH
    assert reason.sentence.endswith(".")
    assert reason.advice.endswith(".")
    assert reason.advice.count("`") % 2 == 0


@pytest.mark.parametrize("kind", ERRORS)
def test_error_shows_nothing_but_its_sentence(kind: type[EnrichmentError]) -> None:
    assert str(kind(cause="Cause", http_status=500, retry_after=3)) == f"{kind.reason.code}: {kind.reason.sentence}"


def test_error_carries_usage_cause_and_status() -> None:
    usage = Usage(model="model")

    error = ProviderUnavailable(usage=usage, retry_after=3, cause="Cause", http_status=503)

    assert (error.usage, error.retry_after, error.cause, error.http_status) == (usage, 3, "Cause", 503)


def test_error_without_details_has_none() -> None:
    error = ProviderUnavailable()

    assert (error.usage, error.retry_after, error.cause, error.http_status) == (None, None, None, None)


def test_interruption_carries_the_usage_without_a_message() -> None:
    usage = Usage(model="model")

    interrupted = Interrupted(usage)

    assert interrupted.usage is usage
    assert interrupted.args == ()
