"""The overlays of deploy/kubernetes: what kustomize makes of them, and what a cluster makes of that."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured

from litevault.operations.checks import LOOPBACK
from litevault.settings.declaration import read
from tests.database import database_url
from tests.deploy.test_files import KUBERNETES, ROOT, cluster_config, objects, workloads
from tests.faults.test_read_only_server import manage
from tests.waiting import PATIENCE_SECONDS

OVERLAYS = ("development", "production")
COMPONENTS = {"keda": "listener", "hpa": "listener", "web-hpa": "web"}
KUSTOMIZE = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
SECRETS = {"litevault-database", "litevault-owner", "litevault-web", "litevault-model"}
# The oldest version that supports all fields, and the newest with schemas.
VERSIONS = ("1.27", "1.37")

needs_kustomize = pytest.mark.skipif(
    not shutil.which(KUSTOMIZE[0]), reason="neither kustomize nor kubectl is installed"
)


@cache
def built(folder: Path) -> str:
    made = subprocess.run([*KUSTOMIZE, folder], capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    return made.stdout


def rendered(overlay: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(built(KUBERNETES / "overlays" / overlay)))


def of_kind(found: list[dict[str, Any]], *kinds: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in found if each["kind"] in kinds}


def pods(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    made = of_kind(found, "Deployment", "StatefulSet", "Job", "CronJob")
    return {name: each["spec"].get("jobTemplate", each)["spec"]["template"]["spec"] for name, each in made.items()}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def references(found: list[dict[str, Any]], source: str) -> set[str]:
    """Return the names of the ConfigMaps or Secrets from which containers get their environment."""
    return {
        each[source]["name"]
        for pod in pods(found).values()
        for container in containers(pod)
        for each in container.get("envFrom", [])
        if source in each
    }


@needs_kustomize
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_may_run_where_rights_are_restricted(overlay: str) -> None:
    found = rendered(overlay)
    (namespace,) = of_kind(found, "Namespace").values()

    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert len(pods(found)) >= 5
    for pod in pods(found).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"])
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


@needs_kustomize
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_references_of_an_overlay_lead_to_objects(overlay: str) -> None:
    found = rendered(overlay)
    namespace = yaml.safe_load((KUBERNETES / "overlays" / overlay / "kustomization.yml").read_text())["namespace"]
    config = of_kind(found, "ConfigMap")
    secrets = of_kind(found, "Secret")

    assert references(found, "configMapRef") == set(config)
    assert [each["data"] for each in config.values()] == [cluster_config(overlay)]
    assert references(found, "secretRef") == (set(secrets) or SECRETS)
    assert {name.rpartition("-")[0] for name in secrets} == (SECRETS if overlay == "development" else set())
    assert set(of_kind(found, "Namespace")) == {namespace}
    assert {each["metadata"]["namespace"] for each in found if each["kind"] != "Namespace"} == {namespace}


@needs_kustomize
def test_production_has_everything_and_one_image() -> None:
    found = rendered("production")
    image = yaml.safe_load((KUBERNETES / "overlays/production/kustomization.yml").read_text())["images"][0]

    assert {(each["kind"], each["metadata"]["name"]) for each in objects()} == {
        (each["kind"], each["metadata"]["name"]) for each in found if each["kind"] != "ConfigMap"
    }
    assert {container["image"] for pod in pods(found).values() for container in containers(pod)} == {
        f"{image['newName']}:{image['newTag']}"
    }
    assert {name: pod["containers"][0].get("command") for name, pod in pods(found).items()} == {
        f"litevault-{name}": pod["containers"][0].get("command") for name, pod in workloads().items()
    }


@needs_kustomize
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_deployments_survive_drains_and_await_migrations(overlay: str) -> None:
    found = rendered(overlay)
    budgets = {name: each["spec"] for name, each in of_kind(found, "PodDisruptionBudget").items()}
    deployments = of_kind(found, "Deployment")

    assert set(deployments) == set(budgets) == {"litevault-web", "litevault-events", "litevault-listener"}
    for name, deployment in deployments.items():
        pod = deployment["spec"]["template"]["spec"]
        (spread,) = pod["topologySpreadConstraints"]
        (waiting,) = pod["initContainers"]
        assert spread["labelSelector"] == budgets[name]["selector"] == deployment["spec"]["selector"]
        assert budgets[name]["maxUnavailable"] == 1
        assert waiting["image"] == pod["containers"][0]["image"]


@needs_kustomize
@pytest.mark.parametrize("component", COMPONENTS)
def test_autoscaler_alone_sets_the_number_of_pods(component: str, tmp_path: Path) -> None:
    copied = shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    kustomization = copied / "overlays" / "production" / "kustomization.yml"
    text = kustomization.read_text()
    chosen = re.sub(rf"^# (components:|  - ../../components/{component})$", r"\1", text, flags=re.MULTILINE)
    kustomization.write_text(chosen)

    found = list(yaml.safe_load_all(built(kustomization.parent)))

    scaled = of_kind(found, "ScaledObject", "HorizontalPodAutoscaler")
    assert {each["spec"]["scaleTargetRef"]["name"] for each in scaled.values()} == {
        f"litevault-{COMPONENTS[component]}"
    }
    assert {name: "replicas" in each["spec"] for name, each in of_kind(found, "Deployment").items()} == {
        f"litevault-{name}": name != COMPONENTS[component] for name in ("web", "events", "listener")
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_config_is_accepted_and_allows_the_host_of_probes(overlay: str) -> None:
    project, _, _ = read(cluster_config(overlay))
    hosts = {
        header["value"]
        for pod in workloads().values()
        for name, probe in pod["containers"][0].items()
        if name.endswith("Probe")
        for header in probe["httpGet"].get("httpHeaders", [])
    }

    assert hosts
    assert hosts <= set(project.allowed_hosts)
    assert project.debug is (overlay == "development")
    assert set(project.allowed_hosts) <= LOOPBACK or not project.debug


def test_links_to_services_would_stop_a_start() -> None:
    """Kubernetes adds a variable for each Service, such as LITEVAULT_EVENTS_PORT with a URL."""
    links = {
        f"{found['metadata']['name'].upper().replace('-', '_')}_PORT": "tcp://10.96.0.7:80"
        for found in objects()
        if found["kind"] == "Service"
    }

    with pytest.raises(ImproperlyConfigured, match="LITEVAULT_EVENTS_PORT"):
        read(cluster_config() | links)
    assert {name for name, pod in workloads().items() if pod.get("enableServiceLinks") is False} == set(workloads())


def test_ingress_leads_to_a_host_that_is_allowed() -> None:
    allowed = set(cluster_config()["LITEVAULT_ALLOWED_HOSTS"].split(","))
    ingresses = [found["spec"] for found in objects() if found["kind"] == "Ingress"]

    assert len(ingresses) == 2
    for spec in ingresses:
        assert {rule["host"] for rule in spec["rules"]} < allowed
        assert {host for each in spec["tls"] for host in each["hosts"]} < allowed


def test_pages_name_paths_that_exist() -> None:
    pages = [
        ROOT / "deploy" / "README.md",
        ROOT / "docs" / "scaling.md",
        ROOT / "deploy" / "prometheus" / "scaling.yml",
    ]

    named = {path for page in pages for path in re.findall(r"deploy/(kubernetes[\w./-]*\w)", page.read_text())}

    assert len(named) >= 3
    assert [path for path in named if not (ROOT / "deploy" / path).exists()] == []


@pytest.fixture
def empty_database(db: None) -> Iterator[str]:
    with psycopg.connect(database_url(), autocommit=True) as administrator:
        administrator.execute("CREATE DATABASE unmigrated")
        try:
            yield urlunsplit(urlsplit(database_url())._replace(path="/unmigrated"))
        finally:
            administrator.execute("DROP DATABASE unmigrated WITH (FORCE)")


@pytest.mark.thorough
def test_pods_wait_until_the_database_is_migrated(empty_database: str) -> None:
    (patch,) = yaml.safe_load((KUBERNETES / "base" / "wait-for-migrations.yml").read_text())
    (container,) = patch["value"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LITEVAULT_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    waiting = subprocess.Popen(
        container["command"], cwd=ROOT, env=ours | cluster_config() | {"DATABASE_URL": empty_database, "PATH": path}
    )
    try:
        assert manage(empty_database, "migrate", "--check").returncode == 1
        assert waiting.poll() is None
        assert manage(empty_database, "migrate", "-v0").returncode == 0
        assert waiting.wait(timeout=PATIENCE_SECONDS) == 0
    finally:
        waiting.kill()
        waiting.wait()


@needs_kustomize
@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_kubernetes_accepts_every_field(tmp_path: Path) -> None:
    """The schemas are large, and installed apart."""
    installed = subprocess.run(
        [ROOT / "requirements/install.sh", ".venv-kubernetes", "kubernetes"], cwd=ROOT, capture_output=True, check=False
    )
    if installed.returncode:
        pytest.skip("PyPI is not reachable, so that the schemas of Kubernetes cannot be installed.")
    files = [KUBERNETES / "components" / name / "hpa.yml" for name in ("hpa", "web-hpa")]
    for overlay in OVERLAYS:
        files.append(tmp_path / f"{overlay}.yml")
        files[-1].write_text(built(KUBERNETES / "overlays" / overlay))
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(files[-1].read_text().replace("readOnlyRootFilesystem:", "readOnlyRootFileSystem:"))

    def validate(version: str, *paths: Path) -> tuple[int, str]:
        command = [ROOT / ".venv-kubernetes/bin/kubernetes-validate", "--strict", "--quiet", "-k", version, *paths]
        ran = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout

    assert [validate(version, *files) for version in VERSIONS] == [(0, ""), (0, "")]
    code, said = validate(VERSIONS[-1], wrong)
    assert code == 1
    assert "'readOnlyRootFileSystem' was unexpected" in said
