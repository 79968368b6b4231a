"""The dashboard and the alerts use metrics that the processes export, and the docs list them."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from enrichment import metrics
from enrichment.providers.base import RateLimit
from enrichment.providers.stub import StubProvider
from items.claims import Finished
from items.states import Outcome, SourceType, Status
from litevault.events import metrics as of_events
from litevault.operations import metrics as web_metrics
from postgres import timeboxed
from tests.enrichment.verdicts import a_verdict
from tests.items.factories import make_attempt, make_item

DEPLOY = Path(settings.BASE_DIR) / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
POSTGRES_ALERTS = DEPLOY / "prometheus" / "postgres.yml"
SCALING = DEPLOY / "prometheus" / "scaling.yml"
DASHBOARD = DEPLOY / "grafana" / "litevault.json"
DOCS = Path(settings.BASE_DIR) / "docs"
PROMTOOL = shutil.which("promtool")

NAME = re.compile(r"\b(?:litevault|process)_[a-z_]+\b")
SELECTOR = re.compile(r"\b((?:litevault|process)_[a-z_]+)\{([^}]*)\}")


def rules(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def questions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    return [*asked, *(rule["expr"] for path in (ALERTS, SCALING) for rule in rules(path))]


class LimitedProvider(StubProvider):
    def rate_limits(self) -> list[RateLimit]:
        return [RateLimit("a model", requests_per_minute=60, refused=1)]


@pytest.fixture
def told(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Return every exported metric, with its labels."""
    monkeypatch.setattr(metrics.rate_limits, "_provider", LimitedProvider())
    item = make_item(User.objects.create_user("owner"), status=Status.FAILED)
    ended = timezone.now()
    make_attempt(item, outcome=Outcome.FAILED, started_at=ended - timedelta(seconds=1), finished_at=ended)
    metrics.count_written([a_verdict(source_type=SourceType.NOTE, model="a model")], Finished(late=[], locked=[]))
    monkeypatch.setattr(timeboxed, "SHARED_SECONDS", 0)
    Client().get("/api/v1/items")
    web = web_metrics.page().body.decode()
    registries = (metrics.REGISTRY, of_events.REGISTRY)
    samples = [sample for registry in registries for metric in registry.collect() for sample in metric.samples]
    names = {sample.name: set(sample.labels) for sample in samples}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", web, re.MULTILINE):
        names[name] = set(re.findall(r"(\w+)=", labels))
    return names


def test_every_metric_in_use_is_exposed(told: dict[str, set[str]]) -> None:
    asked = {name for question in questions() for name in NAME.findall(question)}

    assert len(asked) > 15
    assert asked <= set(told)


def test_every_label_in_use_is_exposed(told: dict[str, set[str]]) -> None:
    of_prometheus = {"job", "instance"}
    asked = {
        (name, label)
        for question in questions()
        for name, selector in SELECTOR.findall(question)
        for label in set(re.findall(r"(\w+)=", selector)) - of_prometheus
    }

    assert asked
    assert {(name, label) for name, label in asked if label not in told[name]} == set()


def test_every_metric_has_its_unit_or_is_a_count(told: dict[str, set[str]]) -> None:
    ours = {name for name in told if name.startswith("litevault_")}

    assert {name for name in ours if "duration" in name or "wait" in name} == {
        name for name in ours if "_seconds" in name
    }
    assert all(name.endswith(("_usd", "_usd_total", "_usd_created")) for name in ours if "cost" in name)


def test_page_of_metrics_has_every_metric(told: dict[str, set[str]]) -> None:
    page = (DOCS / "metrics.md").read_text()
    families = {
        re.sub(r"_(bucket|gcount|gsum|sum|count|created)$", "", name) for name in told if name.startswith("litevault_")
    } - {"litevault_claims", "litevault_attempts"}

    missing = {name for name in families if f"`{name}" not in page and not name.endswith("_created")}

    assert missing == set()


def test_page_for_operators_says_what_to_do_for_every_alert() -> None:
    page = (DOCS / "operations.md").read_text()

    headings = re.findall(r"^### (LiteVault\w+)$", page, re.MULTILINE)

    alerts = [*rules(ALERTS), *rules(POSTGRES_ALERTS)]
    assert headings == [rule["alert"] for rule in alerts]
    assert all(rule["annotations"]["runbook"].endswith(f"#{rule['alert'].lower()}") for rule in alerts)


@pytest.mark.parametrize("path", [ALERTS, POSTGRES_ALERTS])
def test_every_alert_has_a_test_of_its_rule(path: Path) -> None:
    groups = yaml.safe_load(path.with_stem(f"{path.stem}_test").read_text())["tests"]

    tested = {test["alertname"] for group in groups for test in group["alert_rule_test"] if test["exp_alerts"]}

    assert tested == {rule["alert"] for rule in rules(path)}


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("verb", "kind", "name"),
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "alerts_test.yml"),
        ("check", "rules", "postgres.yml"),
        ("test", "rules", "postgres_test.yml"),
        ("check", "rules", "scaling.yml"),
        ("test", "rules", "scaling_test.yml"),
    ],
)
def test_prometheus_takes_the_files(verb: str, kind: str, name: str) -> None:
    checked = subprocess.run(
        [str(PROMTOOL), verb, kind, DEPLOY / "prometheus" / name], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
