"""Every response of the fault matrix through real processes: neither key nor text leaks."""

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from enrichment.errors import RateLimited
from items.models import EnrichmentAttempt, Item
from items.queue import CHANNEL_CANCELLED, CHANNEL_ENRICHING
from items.states import Outcome, Status
from litevault.accounts.models import ApiToken
from tests.enrichment.fake_llm_server import FakeLLMServer, serving
from tests.enrichment.fault_matrix import MATRIX, MAX_RETRIES, Fault
from tests.enrichment.obedient_answers import DECORATE, GIVE_AWAY
from tests.litevault.events.client import Listening
from tests.plugins.commands import CommandStarter
from tests.ports import free_port
from tests.privacy.canaries import KEY, TEXT, leaks
from tests.privacy.places import HOME, Channels, answers_to, columns, files, pages_of_the_admin
from tests.privacy.web import Web, web_server
from tests.waiting import PATIENCE_SECONDS, until, wait

pytestmark = pytest.mark.django_db(transaction=True)

ATTEMPTS_SECONDS = 280  # texts that time out take all their tries, and others wait for a rate limit
LLM_TIMEOUT_SECONDS = 10  # all responses arrive at once, and the machine may be busy

OBEDIENT = [(way.__name__,) for way in (*GIVE_AWAY, *DECORATE)]
SCRIPTS = list(dict.fromkeys([*(fault.answers for fault in MATRIX), *OBEDIENT]))
LIMITED = {fault.answers for fault in MATRIX if fault.error is RateLimited}
DISCARDED = "case-discarded."

PRODUCTION = {"LITEVAULT_DEBUG": "false", "LITEVAULT_LOG_FORMAT": "json", "LITEVAULT_LLM_MODE": "tools"}
DEVELOPMENT = {"LITEVAULT_DEBUG": "true", "LITEVAULT_LOG_FORMAT": "console", "LITEVAULT_LLM_MODE": "json_schema"}
TALKATIVE = {
    "LITEVAULT_LOG_LEVEL": "DEBUG",
    "LITELLM_LOG": "DEBUG",
    "OPENAI_LOG": "debug",
    "PYTHONUNBUFFERED": "1",
    "LITEVAULT_SECRET_KEY": "for this test only, and long enough for every check",
    "LITEVAULT_ALLOWED_HOSTS": "127.0.0.1",
}


def mark(number: int) -> str:
    return f"case-{number}."


def marks(*, limited: bool) -> list[str]:
    return [mark(number) for number, script in enumerate(SCRIPTS) if (script in LIMITED) == limited]


@pytest.fixture
def model() -> Iterator[FakeLLMServer]:
    """A model that responds to each text as its mark says."""
    with serving() as model:
        for number, script in enumerate(SCRIPTS):
            model.script_text(mark(number), *script)
        model.script_text(DISCARDED, "hang")
        model.script("status_401")  # for the doctor
        yield model


def misuse(web: Web) -> Iterator[str]:
    """Yield the responses to invalid requests with a text."""
    web.call("GET", f"/api/v1/items?q={quote(TEXT)}&limit=1")
    yield web.call("POST", "/api/v1/items", {"rawText": TEXT, TEXT: 1})
    yield web.call("POST", "/api/v1/items", {"rawText": [TEXT]})
    yield web.call("POST", "/api/v1/items", f'{{"rawText": "{TEXT}'.encode())
    yield web.call("POST", "/api/v1/items", {"rawText": f"{TEXT}\x00"})


@pytest.mark.timeout(900)
@pytest.mark.parametrize("environment", [PRODUCTION, DEVELOPMENT], ids=["json", "console"])
def test_neither_key_nor_text_is_seen_anywhere(
    environment: dict[str, str],
    owner: User,
    stranger: User,
    admin_client: Client,
    model: FakeLLMServer,
    start: CommandStarter,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    environment = TALKATIVE | environment
    channels = Channels(CHANNEL_ENRICHING, CHANNEL_CANCELLED)
    token = ApiToken.objects.issue(user=owner, name="test")[1]
    with (
        web_server(start, token=token, **environment) as web,
        web_server(start, token=token, interface="asgi", **environment) as events,
        Listening(events.port, Authorization=f"Bearer {token}"),
        Listening(
            events.port, Authorization=f"Bearer {ApiToken.objects.issue(user=stranger, name='test')[1]}"
        ) as other,
    ):
        errors = list(misuse(web))
        capture(web, *marks(limited=False), DISCARDED)
        metrics = enrich_everything(start, web, model, environment | keys(model))
        seen = {path: web.call("GET", path) for path in ("/readyz", "/api/v1/schema")}
        seen |= {"metrics of the listener": metrics, "metrics of the web server": web.metrics()}
        seen |= {"metrics of events": events.metrics()}
        seen["a stranger's stream"] = "\n".join(other.heartbeat())
        errors.append(events.call("GET", f"/api/v1/events?{quote(TEXT)}={quote(KEY)}", **{"Last-Event-ID": KEY}))

    outputs = files(tmp_path)
    payloads = channels.close()
    assert f'litevault_attempts_total{{error_code="",error_reason="",outcome="{Outcome.SUCCEEDED}"}}' in metrics
    assert 'litevault_events_total{event="item"}' in seen["metrics of events"]
    assert_it_all_happened(outputs, payloads, mode=environment["LITEVAULT_LLM_MODE"])
    places = {
        **columns(),
        **outputs,
        **{f"channel {name}": "\n".join(heard) for name, heard in payloads.items()},
        **{f"error {number}": error for number, error in enumerate(errors)},
        **answers_to(stranger, Item.objects.all()),
        **pages_of_the_admin(admin_client),
        **seen,
    }
    places["our own output"] = "".join(capfd.readouterr())
    assert leaks({HOME: places.pop(HOME)}) == [f"{HOME}: text"]
    assert leaks(places) == []


def capture(web: Web, *names: str) -> None:
    for name in names:
        web.capture(f"{TEXT} {name} {TEXT}", key=name)


def keys(model: FakeLLMServer) -> dict[str, str]:
    return {
        "LITEVAULT_LLM_PROVIDER": "litellm",
        "LITEVAULT_LLM_API_BASE": model.url,
        "LITEVAULT_LLM_TIMEOUT_SECONDS": str(LLM_TIMEOUT_SECONDS),
        "LITEVAULT_LLM_MAX_RETRIES": str(MAX_RETRIES),
        "LITEVAULT_LLM_CONCURRENCY": str(len(SCRIPTS) + 1),
        "LITEVAULT_ENRICH_MAX_ATTEMPTS": "1",
        "OPENAI_API_KEY": KEY,
    }


def enrich_everything(start_one: CommandStarter, web: Web, model: FakeLLMServer, environment: dict[str, str]) -> str:
    """Attempt each item once, discard one in flight, and run the doctor beside it.

    Return the listener's metrics.
    """
    port = free_port()
    listener = start_one("enrich_listener", "--metrics-port", str(port), **environment)
    until(lambda: any(DISCARDED in str(call.body) for call in model.calls))
    discarded = Item.objects.get(raw_text__contains=DISCARDED)
    web.call("PATCH", f"/api/v1/items/{discarded.pk}", {"action": "discard"})
    # The doctor's import takes seconds, and its output is the same in both environments.
    doctor = start_one("doctor", **environment) if environment["LITEVAULT_DEBUG"] == "false" else None
    assert wait(all_attempted, seconds=ATTEMPTS_SECONDS)
    # Last, because after a rate limit nothing is sent for a while.
    capture(web, *marks(limited=True))
    assert wait(all_attempted, seconds=ATTEMPTS_SECONDS)
    metrics = Web(port, token="").call("GET", "/metrics")
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        listener.send_signal(signal_number)
    assert listener.wait(PATIENCE_SECONDS) == 0
    if doctor:
        doctor.wait(PATIENCE_SECONDS)
    return metrics


def all_attempted() -> bool:
    return not Item.objects.filter(attempts=None).exists()


def assert_it_all_happened(outputs: Mapping[str, str], payloads: dict[str, list[str]], *, mode: str) -> None:
    """Check that each response led to the outcome of the matrix: an idle system would leak nothing."""
    first = {
        attempt.item.raw_text: (attempt.outcome, attempt.error_code)
        for attempt in EnrichmentAttempt.objects.filter(number=1).select_related("item")
    }
    # Some responses are valid in one mode only: of two lines of the matrix, the one for this mode counts.
    faults = {fault.answers: fault for fault in sorted(MATRIX, key=lambda fault: mode in fault.modes)}
    for number, script in enumerate(SCRIPTS):
        (happened,) = [ended for text, ended in first.items() if mark(number) in text]
        # With so many failures at once the model counts as down, and there are no retries.
        if script in faults and len(script) == 1:
            assert happened in {outcome_of(faults[script]), *too_slow(script)}, script
    assert set(Item.objects.filter(raw_text__contains=DISCARDED).values_list("status")) == {(Status.DISCARDED,)}
    assert payloads[CHANNEL_ENRICHING]
    assert payloads[CHANNEL_CANCELLED]
    web, events, listener, *doctor = outputs.values()
    assert "request.finished" in web
    assert "stream.ended" in events
    assert listener.count("enrichment.") >= len(SCRIPTS)
    assert all("KeyRefused" in output or "refused the key" in output for output in doctor)


def too_slow(script: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the other outcome of a 20 MB response on a busy machine."""
    return [(Outcome.FAILED, "LLM_TIMEOUT")] if "huge" in script[0] else []


def outcome_of(fault: Fault) -> tuple[str, str | None]:
    return (Outcome.FAILED, fault.error.reason.code) if fault.error else (Outcome.SUCCEEDED, None)
