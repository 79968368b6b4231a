from collections.abc import Iterator

import pytest

from enrichment.errors import EnrichmentError, Interrupted, ProviderUnavailable
from enrichment.schemas import Usage
from items.admin.filters import ERROR_CODES
from items.models.limits import ERROR_MAX_LENGTH


def all_below(kind: type[EnrichmentError]) -> Iterator[type[EnrichmentError]]:
    for child in kind.__subclasses__():
        yield child
        yield from all_below(child)


@pytest.mark.parametrize("kind", list(all_below(EnrichmentError)))
def test_error_has_a_known_code_and_a_sentence_that_fits(kind: type[EnrichmentError]) -> None:
    message = kind().message

    # The admin filters by codes, but must not import this app.
    assert kind.code in ERROR_CODES
    assert message == f"{kind.code}: {kind.sentence}"
    assert kind.sentence.endswith(".")
    assert len(message) <= ERROR_MAX_LENGTH


@pytest.mark.parametrize("kind", list(all_below(EnrichmentError)))
def test_error_shows_nothing_but_its_sentence(kind: type[EnrichmentError]) -> None:
    assert str(kind(cause="Cause", http_status=500, retry_after=3)) == f"{kind.code}: {kind.sentence}"


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
