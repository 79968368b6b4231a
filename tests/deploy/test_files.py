"""The files in deploy/ start existing programs, with existing settings."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from dotenv import dotenv_values

from enrichment.config import EnrichSettings
from postgres.django.waits import POOL_CONNECTIONS

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
KUBERNETES = DEPLOY / "kubernetes"
SYSTEMD = shutil.which("systemd-analyze")
MOST_EXPOSURE = "20"  # tenths; systemd calls anything below 50 medium, and a service without any rule has 96
WHERE = {"--host", "--port", "--metrics-port", "--metrics-address", "--worker-id"}


def manifests(folder: str) -> list[Path]:
    """Return the files of objects that a folder of kustomize has."""
    listed = yaml.safe_load((KUBERNETES / folder / "kustomization.yml").read_text())["resources"]
    return [KUBERNETES / folder / name for name in listed if name.endswith(".yml")]


MANIFESTS = [*manifests("base"), *manifests("overlays/production")]


def cluster_config(overlay: str = "production") -> dict[str, str]:
    """Return the ConfigMap of an overlay."""
    files = (KUBERNETES / "base" / "config.env", KUBERNETES / "overlays" / overlay / "config.env")
    return {name: value or "" for path in files for name, value in dotenv_values(path).items()}


def objects() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def workloads() -> dict[str, dict[str, Any]]:
    """Return the pods of each component."""
    return {
        found["metadata"]["name"].removeprefix("litevault-"): found["spec"].get("jobTemplate", found)["spec"][
            "template"
        ]["spec"]
        for found in objects()
        if found["kind"] in ("Deployment", "Job", "CronJob")
    }


def services() -> dict[str, dict[str, Any]]:
    return {
        name: found
        for name, found in yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"].items()
        if name != "postgres"
    }


def procfile() -> dict[str, str]:
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    return {name: command for name, _, command in (line.partition(": ") for line in lines)}


def image_command() -> list[str]:
    (command,) = re.findall(r"^CMD (\[.*?\])", (DEPLOY / "Containerfile").read_text(), re.MULTILINE | re.DOTALL)
    return [str(word) for word in yaml.safe_load(command.replace("\\\n", ""))]


def commands() -> dict[str, list[tuple[str, list[str]]]]:
    """Return the command of each component."""
    found: dict[str, list[tuple[str, list[str]]]] = {}

    def add(component: str, place: str, words: list[str]) -> None:
        found.setdefault({"release": "migrate"}.get(component, component), []).append((place, words))

    for name, command in procfile().items():
        add(name, "Procfile", shlex.split(command))
    for name, service in services().items():
        add(name, "compose.yml", service.get("command") or image_command())
    for name, pod in workloads().items():
        add(name, "kubernetes", pod["containers"][0].get("command") or image_command())
    for unit in UNITS:
        (command,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
        add(unit.stem.removeprefix("litevault-").rstrip("@"), unit.name, shlex.split(command))
    return found


def without_place(words: list[str]) -> list[str]:
    """Return the command without its address and its name."""
    kept, skips = [], False
    for word in words:
        if not skips and word not in WHERE:
            kept.append(Path(word).name if word.startswith("/opt") else word)
        skips = word in WHERE
    return kept


@pytest.mark.parametrize("component", ["migrate", "web", "events", "listener"])
def test_every_file_starts_a_component_alike(component: str) -> None:
    places = commands()[component]

    assert [place.partition("@")[0].partition(".")[0] for place, _ in places] == [
        "Procfile",
        "compose",
        "kubernetes",
        f"litevault-{component}",
    ]
    assert len({tuple(without_place(words)) for _, words in places}) == 1, places


def test_purge_runs_alike_every_night() -> None:
    places = commands()["purge"]

    assert [place for place, _ in places] == ["kubernetes", "litevault-purge.service"]
    assert len({tuple(without_place(words)) for _, words in places}) == 1, places
    assert (DEPLOY / "systemd" / "litevault-purge.timer").exists()


def test_every_command_exists() -> None:
    asked = {
        words[words.index("manage.py") + 1]
        for places in commands().values()
        for _, words in places
        if "manage.py" in words
    }

    assert asked == {"migrate", "enrich_listener", "purge"}
    assert asked <= set(get_commands())


def test_every_setting_exists() -> None:
    known = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]

    asked = {name for path in files for name in re.findall(r"\bLITEVAULT_[A-Z_]+\b", path.read_text())}

    assert len(asked) > 5
    assert asked <= known


def test_web_workers_have_threads_left_for_probes() -> None:
    files = [ROOT / "docs" / "operations.md", *(path for path in DEPLOY.rglob("*") if path.is_file())]

    threads = re.findall(r"--blocking-threads[\s\",]+(\d+)", "".join(path.read_text() for path in files))

    assert len(threads) == 5
    assert all(int(number) > POOL_CONNECTIONS + 2 for number in threads)


def test_whatever_is_asked_whether_it_is_alive_answers_there() -> None:
    paths = set(re.findall(r"path: (/\w+z)$", "".join(path.read_text() for path in MANIFESTS), re.MULTILINE))
    probed = {name for name, pod in workloads().items() if "livenessProbe" in pod["containers"][0]}

    assert paths == {"/healthz", "/readyz"}
    assert probed == {"web", "events", "listener"}


@pytest.mark.parametrize("component", ["web", "events", "listener", "migrate", "purge"])
def test_containers_run_with_no_more_rights_than_they_need(component: str) -> None:
    pod = workloads()[component]
    service = services().get(component)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False
    assert service is None or (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert re.search(r"^USER \d+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)


def test_services_lead_to_pods_that_there_are() -> None:
    labels = [found["spec"]["template"]["metadata"]["labels"] for found in objects() if found["kind"] == "Deployment"]
    selectors = [found["spec"]["selector"] for found in objects() if found["kind"] == "Service"]

    assert len(selectors) == 2
    assert all(selector in labels for selector in selectors)


def test_ingress_accepts_the_longest_text() -> None:
    (size,) = (
        found["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
        for found in objects()
        if found["kind"] == "Ingress" and found["metadata"]["name"] == "litevault"
    )

    assert int(size.removesuffix("m")) * 2**20 >= settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_no_listener_is_killed_before_the_grace_is_over() -> None:
    grace_seconds = EnrichSettings().grace_seconds

    kubernetes = workloads()["listener"]["terminationGracePeriodSeconds"]
    compose = int(services()["listener"]["stop_grace_period"].removesuffix("s"))
    unit = (DEPLOY / "systemd" / "litevault-listener@.service").read_text()
    (systemd,) = re.findall(r"^TimeoutStopSec=(\d+)", unit, re.MULTILINE)

    # Releasing may take another second, and closing a silent connection longer.
    assert min(kubernetes, compose, int(systemd)) >= grace_seconds + 10


def test_listener_units_are_named_by_a_port_that_is_scraped() -> None:
    unit = (DEPLOY / "systemd" / "litevault-listener@.service").read_text()
    target = (DEPLOY / "systemd" / "litevault.target").read_text()
    scraped = (DEPLOY / "prometheus" / "prometheus.yml").read_text()

    ports = re.findall(r"litevault-listener@(\S+)\.service", target)

    assert "--metrics-port %i" in unit
    assert ports == re.findall(r"127\.0\.0\.1:(91\d\d)", scraped)


def test_metrics_ports_are_scraped_and_not_public() -> None:
    names = {"web": "LITEVAULT_METRICS_PORT", "events": "LITEVAULT_EVENTS_METRICS_PORT"}
    config = cluster_config()
    example = (ROOT / "docs" / "production.env").read_text()
    annotated = {
        found["metadata"]["labels"]["app.kubernetes.io/component"]: found["spec"]["template"]["metadata"]["annotations"]
        for found in objects()
        if found["kind"] == "Deployment"
    }
    served = [
        port["targetPort"] for found in objects() if found["kind"] == "Service" for port in found["spec"]["ports"]
    ]
    published = [port for service in services().values() for port in service.get("ports", ())]

    for component, name in names.items():
        port = config[name]
        assert annotated[component] == {"prometheus.io/scrape": "true", "prometheus.io/port": port}
        assert {"name": "metrics", "containerPort": int(port)} in workloads()[component]["containers"][0]["ports"]
        assert services()[component]["environment"][name] == port
        assert f"{name}={port}\n" in example
        assert f"127.0.0.1:{port}" in (DEPLOY / "prometheus" / "prometheus.yml").read_text()
        assert not any(port in place for place in published)
    assert served == ["http", "http"]


def test_both_autoscalers_do_the_same() -> None:
    keda = yaml.safe_load((KUBERNETES / "components/keda/scaledobject.yml").read_text())["spec"]
    hpa = yaml.safe_load((KUBERNETES / "components/hpa/hpa.yml").read_text())["spec"]
    values = yaml.safe_load((KUBERNETES / "components/hpa/prometheus-adapter.yml").read_text())
    (rule,) = values["rules"]["external"]
    recorded = [
        rule["record"]
        for group in yaml.safe_load((DEPLOY / "prometheus" / "scaling.yml").read_text())["groups"]
        for rule in group["rules"]
    ]

    targets = {found["metadata"]["name"] for found in objects() if found["kind"] == "Deployment"}
    limits = {
        each["external"]["metric"]["name"]: each["external"]["target"]["value"].replace("700m", "0.7")
        for each in hpa["metrics"]
    }
    renamed = {
        name: re.sub(rule["name"]["matches"], rule["name"]["as"].replace("${1}", r"\1"), name) for name in recorded
    }

    assert keda["scaleTargetRef"]["name"] == hpa["scaleTargetRef"]["name"] in targets
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (hpa["minReplicas"], hpa["maxReplicas"])
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa["behavior"]
    assert {each["metadata"]["query"] for each in keda["triggers"]} == set(recorded)
    assert {renamed[each["metadata"]["query"]]: each["metadata"]["threshold"] for each in keda["triggers"]} == limits
    assert {each["metricType"] for each in keda["triggers"]} == {"Value"}


@pytest.mark.skipif(not SYSTEMD, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").iterdir():
        # The programs' installed paths.
        text = path.read_text().replace("/opt/litevault/.venv/bin/", f"{Path(sys.executable).parent}/")
        (tmp_path / path.name).write_text(text)

    checked = subprocess.run(
        [str(SYSTEMD), "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.skipif(not SYSTEMD, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_are_hardened(unit: Path) -> None:
    checked = subprocess.run(
        [str(SYSTEMD), "security", "--offline=yes", f"--threshold={MOST_EXPOSURE}", unit],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout.splitlines()[-1]


def test_build_context_holds_all_that_the_image_copies() -> None:
    copied = re.findall(r"^COPY (\w\S*) \S+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    kept = re.findall(r"^!(.+)$", (DEPLOY / "Containerfile.dockerignore").read_text(), re.MULTILINE)

    assert sorted(kept) == sorted(copied)


@pytest.mark.thorough
def test_image_holds_all_that_a_process_needs(tmp_path: Path) -> None:
    for name in re.findall(r"^COPY (\w\S*) \S+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        elif name != "requirements/base.txt":
            shutil.copy(ROOT / name, tmp_path)
    (collect,) = re.findall(
        r"python (manage\.py collectstatic .*)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}

    built = subprocess.run(
        [sys.executable, *shlex.split(collect)],
        cwd=tmp_path,
        env=plain | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == 0, built.stderr
    assert (tmp_path / "staticfiles" / "staticfiles.json").exists()
