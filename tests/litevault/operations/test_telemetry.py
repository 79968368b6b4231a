"""Traces and reports of crashes from real processes, received by a collector of our own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from litevault.accounts.models import ApiToken
from tests.database import reaches
from tests.enrichment.fake_llm_server import FakeLLMServer, serving
from tests.plugins.commands import CommandStarter, Started, starting
from tests.ports import free_port
from tests.privacy.canaries import KEY, TEXT, leaks
from tests.privacy.web import Web, web_server
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

LOCKS = Path(settings.BASE_DIR) / "requirements"
INSTALL_SECONDS = 300
REQUEST_ID = "req-of-this-test"
REFUSED = "case-refused."

# Every way by which an exception reaches the log, with the text in it.
CRASHES = """
import logging, sys
import django
django.setup()
from litevault.operations import error_reports
import structlog
error_reports.start("litevault-test")
text = sys.argv[1]

def fail():
    text_of_the_user = text
    try:
        raise ValueError(text_of_the_user)
    except ValueError as error:
        raise ExceptionGroup(text, [KeyError(text)]) from error

def crash(report):
    try:
        fail()
    except Exception as error:
        error.add_note(text)
        report()

crash(lambda: structlog.get_logger("ours").error("request.crashed", exc_info=True))
crash(lambda: logging.getLogger("library").error("It said %s", text, exc_info=True))
logging.getLogger("library").error(text)
"""

IMPORTED = """
import sys
from litevault.wsgi import application
from enrichment.management.commands import enrich_listener
import enrichment.worker
from litevault.program import observe
observe("litevault-listener")
print([name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "sentry_sdk")])
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder with what the locks of the extras have on top of the base."""
    folder = tmp_path_factory.mktemp("packages")
    lock = folder / "lock.txt"
    lock.write_text("\n".join(sorted((requirements("otel") | requirements("sentry")) - requirements("base"))))
    options = ["--quiet", "--no-deps", "--require-hashes", "-r", str(lock), "--target", str(folder / "made")]
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options], capture_output=True, timeout=INSTALL_SECONDS, check=False
    )
    if installed.returncode:
        pytest.skip("PyPI is not reachable, so that OpenTelemetry and Sentry cannot be installed.")
    return str(folder / "made")


def requirements(lock: str) -> set[str]:
    """Return each requirement with its hashes."""
    return set(re.split(r"\n(?=\w)", (LOCKS / f"{lock}.txt").read_text().strip()))


class Collector:
    """Receives spans and envelopes, in a process of its own, which has the packages."""

    def __init__(self, process: Started, port: int, packages: str) -> None:
        self._process = process
        self.environment = {
            "PYTHONPATH": packages,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "SENTRY_DSN": f"http://public@127.0.0.1:{port}/1",
        }

    @property
    def output(self) -> str:
        return self._process.log.read_text()

    def spans(self) -> list[dict[str, Any]]:
        """Return the spans so far, each with the name of its service."""
        received = [json.loads(line) for line in self.output.splitlines() if line.startswith('{"path": "/v1/traces"')]
        return [{**each["span"], "service": each["resource"]["service.name"]} for each in received]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans() if span["name"] == name]


@pytest.fixture
def collector(packages: str, tmp_path: Path) -> Iterator[Collector]:
    folder = tmp_path / "collector"
    folder.mkdir()
    port = free_port()
    with starting(folder) as start:
        program = ("-m", "tests.litevault.operations.collector")
        process = start(str(port), program=program, PYTHONPATH=packages)
        until(lambda: Web(port, token="").answers() or process.poll() is not None)
        assert process.poll() is None, process.log.read_text()
        yield Collector(process, port, packages)


@pytest.fixture
def model() -> Iterator[FakeLLMServer]:
    with serving() as model:
        model.script_text(REFUSED, "status_401")
        yield model


def test_trace_leads_from_the_request_to_the_model(
    owner: User, collector: Collector, model: FakeLLMServer, start: CommandStarter, tmp_path: Path
) -> None:
    token = ApiToken.objects.issue(user=owner, name="test")[1]
    with web_server(start, token=token, **collector.environment, LITEVAULT_LOG_FORMAT="json") as web:
        listener = start("enrich_listener", **asking(model), **collector.environment, LITEVAULT_LOG_FORMAT="json")
        web.call("POST", "/api/v1/items", {"rawText": TEXT}, **{"X-Request-Id": REQUEST_ID})
        item = reaches(Item.objects.get(), Status.READY_TO_CONFIRM)
        web.call("POST", "/api/v1/items", {"rawText": f"{REFUSED} {TEXT}"})
        web.call("GET", f"/api/v1/items?q={quote(TEXT)}&tag={quote(KEY)}")
        assert json.loads(web.call("GET", f"/{quote(TEXT)}"))["error"]["code"] == "NOT_FOUND"
        web.call("POST", "/api/v1/items", {"rawText": [TEXT], TEXT: 1})
        reaches(Item.objects.exclude(pk=item.pk).get(), Status.FAILED)
        until(lambda: len(collector.named("enrich item")) == 2 and len(collector.named("POST /api/v1/items")) == 3)

    request, first, *_ = sorted(trace_of(item, collector), key=lambda span: span["startTimeUnixNano"])
    spans = {span["name"]: span for span in trace_of(item, collector) if span["service"] == "litevault-listener"}
    attempt, draft, chat = (spans[name] for name in ("enrich item", "draft", "chat"))
    assert (request["name"], request["service"]) == ("POST /api/v1/items", "litevault-web")
    assert (first["attributes"]["db.system"], first["parentSpanId"]) == ("postgresql", request["spanId"])
    assert attempt["parentSpanId"] == request["spanId"]
    assert (draft["parentSpanId"], chat["parentSpanId"]) == (attempt["spanId"], draft["spanId"])
    assert {span["attributes"]["litevault.request_id"] for span in (request, attempt)} == {REQUEST_ID}
    assert attempt["attributes"]["litevault.outcome"] == "SUCCEEDED"
    assert int(attempt["attributes"]["gen_ai.usage.input_tokens"]) > 0
    (refused,) = [span for span in collector.named("enrich item") if span["traceId"] != attempt["traceId"]]
    assert refused["attributes"]["litevault.error_reason"] == "KEY_REFUSED"
    assert refused["status"] == {"code": "STATUS_CODE_ERROR"}
    assert '"envelope"' not in collector.output
    assert leaks({"spans": collector.output}) == []
    for log in (tmp_path / "process-0.log", listener.log):
        assert any(json.loads(line).get("request_id") == REQUEST_ID for line in json_lines(log))


def trace_of(item: Item, collector: Collector) -> list[dict[str, Any]]:
    (attempt,) = [
        span for span in collector.named("enrich item") if span["attributes"]["litevault.item_id"] == str(item.pk)
    ]
    return [span for span in collector.spans() if span["traceId"] == attempt["traceId"]]


def asking(model: FakeLLMServer) -> Mapping[str, str]:
    return {
        "LITEVAULT_LLM_PROVIDER": "litellm",
        "LITEVAULT_LLM_API_BASE": model.url,
        "LITEVAULT_ENRICH_MAX_ATTEMPTS": "1",
        "OPENAI_API_KEY": KEY,
    }


def json_lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("{")]


def run(script: str, *arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "litevault.settings", "LITEVAULT_DEBUG": "true", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_report_of_a_crash_has_no_text(collector: Collector) -> None:
    run(CRASHES, TEXT, **collector.environment)

    until(lambda: collector.output.count('"/api/1/envelope/"') == 2)
    events = [json.loads(json.loads(line)["envelope"].splitlines()[-1]) for line in collector.output.splitlines()]
    assert [event["message"] for event in events] == ["request.crashed", "library"]
    for event in events:
        values = event["exception"]["values"]
        assert [value["type"] for value in values] == ["ValueError", "ExceptionGroup", "KeyError"]
        assert values[0]["stacktrace"]["frames"][-1]["function"] == "fail"
        assert event["tags"]["service"] == "litevault-test"
    assert leaks({"reports": collector.output}) == []


def test_work_goes_on_while_the_collector_is_down(owner: User, packages: str, start: CommandStarter) -> None:
    Item.objects.capture(owner=owner, raw_text=TEXT)
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "SENTRY_DSN": "http://public@127.0.0.1:9/1"}

    listener = start("enrich_listener", "--drain", PYTHONPATH=packages, **nowhere)

    assert listener.wait(INSTALL_SECONDS) == 0
    assert Item.objects.get().status == Status.READY_TO_CONFIRM
    log = listener.log.read_text()
    assert "opentelemetry.reported" in log
    assert "127.0.0.1:9" not in log
    assert leaks({"log": log}) == []


def test_nothing_is_imported_unless_it_is_asked_for(packages: str) -> None:
    assert run(IMPORTED, PYTHONPATH=packages).splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("variable", "event"),
    [("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.unavailable"), ("SENTRY_DSN", "error_reports.unavailable")],
)
def test_missing_package_is_a_warning_and_work_goes_on(
    owner: User, start: CommandStarter, tmp_path: Path, variable: str, event: str
) -> None:
    for name in ("opentelemetry", "sentry_sdk"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    Item.objects.capture(owner=owner, raw_text="text")

    listener = start(
        "enrich_listener", "--drain", PYTHONPATH=str(tmp_path), **{variable: "http://public@127.0.0.1:9/1"}
    )

    assert listener.wait(INSTALL_SECONDS) == 0
    assert event in listener.log.read_text()
    assert Item.objects.get().status == Status.READY_TO_CONFIRM
