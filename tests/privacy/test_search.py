"""The search for leaks: it finds canaries, and what a provider without sanitising would leave behind."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client

from enrichment.breaker import Breaker
from enrichment.config import LLMSettings
from enrichment.enricher import Enricher
from enrichment.errors import UnexpectedFailure
from enrichment.providers import conversation
from enrichment.providers.base import EnrichmentProvider
from enrichment.vocabulary import Vocabularies
from items.claims import Claim, Verdict
from items.models import IdempotencyKey, Item
from items.states import Status
from postgres.session import Session
from tests.enrichment.fake_llm_server import serving
from tests.items.factories import make_item
from tests.items.queue.protocol import claim as claim_now
from tests.items.queue.protocol import finish
from tests.privacy.canaries import FORMS, KEY, TEXT, leaks
from tests.privacy.places import HOME, Channels, answers_to, columns, pages_of_the_admin

if TYPE_CHECKING:
    from enrichment.providers.litellm import LiteLLMProvider


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_canary_is_found(name: str) -> None:
    found = [leaks({"a place": f"before{form.upper()}after", "another": "nothing"}) for form in FORMS[name]]

    assert found
    assert all(each == [f"a place: {name}"] for each in found)


def test_canary_is_found_in_every_kind_of_column(owner: User) -> None:
    owner.first_name = KEY
    owner.save()
    make_item(owner, raw_text=TEXT, status=Status.READY_TO_CONFIRM, tags=["fine", TEXT[:20]])
    IdempotencyKey.objects.create(owner=owner, key="key", fingerprint="", response={"nested": [TEXT]})

    found = leaks(columns())

    assert sorted(found) == [
        "auth_user.first_name: key",
        "idempotency_keys.response: text",
        "items.raw_text: text",
        "items.tag_keys: text",
        "items.tags: text",
    ]


@pytest.mark.django_db(transaction=True)
def test_canary_is_found_in_what_others_see_and_in_notifications(
    owner: User, stranger: User, admin_client: Client
) -> None:
    channels = Channels("anything")
    make_item(owner, status=Status.ARCHIVED, title=TEXT[:60])
    careless = make_item(stranger, raw_text=TEXT)
    with channels._connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('anything', %s)", [KEY])

    pages = pages_of_the_admin(admin_client)
    answers = answers_to(stranger, [careless])

    assert leaks(pages)
    assert "GET /items: text" in leaks(answers)
    assert leaks({name: " ".join(payloads) for name, payloads in channels.close().items()}) == ["anything: key"]


class Talkative(UnexpectedFailure):
    said = ""

    @property
    def message(self) -> str:
        return f"{self.reason.code}: {self.said}"


def talkative(error: BaseException) -> UnexpectedFailure:
    """Return the error as if it kept the library's message."""
    failure = Talkative(cause=str(error))
    failure.said = str(error)[:400]
    return failure


async def enrich(claim: Claim, provider: EnrichmentProvider) -> Verdict:
    session = Session(deadline_seconds=10)
    enricher = Enricher(
        provider,
        vocabularies=Vocabularies(session.fetch),
        breaker=Breaker(),
        deadline_seconds=30,
        max_attempts=1,
        max_refunds=1,
    )
    try:
        return await enricher.enrich(claim)
    finally:
        await provider.close()
        await session.close()


SearchAfterRefusal = Callable[[], set[str]]


@pytest.fixture
def search_after_refusal(
    owner: User,
    litellm_provider: "type[LiteLLMProvider]",
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> SearchAfterRefusal:
    """Let a provider refuse a text with the key and the text in its response, and return where they are found."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def search() -> set[str]:
        Item.objects.capture(owner=owner, raw_text=TEXT)
        (claim,) = claim_now()
        with serving("status_401") as model:
            provider = litellm_provider(LLMSettings(api_base=model.url, max_retries=0))
            finish([asyncio.run(enrich(claim, provider))])
        return {*leaks({**columns(), "log": "".join(capfd.readouterr())})}

    return search


@pytest.mark.django_db(transaction=True)
def test_search_finds_nothing_after_a_refusal(search_after_refusal: SearchAfterRefusal) -> None:
    assert search_after_refusal() == {f"{HOME}: text"}


@pytest.mark.django_db(transaction=True)
def test_search_finds_what_the_sanitiser_would_have_kept_back(
    search_after_refusal: SearchAfterRefusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "fault_of", talkative)

    found = search_after_refusal()

    assert found >= {f"{HOME}: text", "items.enrichment_error: key", "log: key", "log: text"}
