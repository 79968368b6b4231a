"""The files in deploy/ give each process the secrets, the memory and the network that it needs, and no more."""

import re
from typing import Any

import pytest
import yaml

from litevault.settings.declaration import SETTINGS
from tests.deploy.test_files import DEPLOY, UNITS, cluster_config, objects, services, workloads

# Each is a file in /etc/litevault, and a secret of Kubernetes.
SECRETS = {
    "web": {"database", "web"},
    "events": {"database", "web"},
    "listener": {"database", "model"},
    "migrate": {"owner"},
    "purge": {"database"},
}
OF_DEVELOPMENT = {"LITEVAULT_DEBUG", "LITEVAULT_EVENTS_PORT", "LITEVAULT_PG_BIN"}
# Compose has no pooler.
OF_POOLERS = {"LITEVAULT_LISTEN_DATABASE_URL"}
OF_LISTENERS = ("LITEVAULT_LLM_", "LITEVAULT_ENRICH_")


def units() -> dict[str, str]:
    return {unit.stem.removeprefix("litevault-").rstrip("@"): unit.read_text() for unit in UNITS}


def kinds_of_secrets(environment: dict[str, str | None]) -> set[str]:
    """Return what a service of compose.yml gets, by the names of the files that other deployments have for it."""
    found = {
        "database": environment["PGUSER"] == "litevault",
        "owner": environment["PGUSER"] == "litevault_owner",
        "web": "LITEVAULT_SECRET_KEY" in environment,
        "model": any(name.endswith("_API_KEY") for name in environment),
    }
    return {kind for kind, is_there in found.items() if is_there}


@pytest.mark.parametrize("component", SECRETS)
def test_process_gets_its_own_secrets_only(component: str) -> None:
    in_systemd = re.findall(r"^EnvironmentFile=/etc/litevault/(\w+)\.env$", units()[component], re.MULTILINE)
    sources = workloads()[component]["containers"][0]["envFrom"]
    in_kubernetes = [source["secretRef"]["name"] for source in sources if "secretRef" in source]

    assert in_systemd[0] == "litevault"
    assert set(in_systemd[1:]) == SECRETS[component]
    assert in_kubernetes == [f"litevault-{name}" for name in in_systemd[1:]]
    if component != "purge":
        assert kinds_of_secrets(services()[component]["environment"]) == SECRETS[component]
        assert "env_file" not in services()[component]


def test_password_of_the_role_fits_to_the_role() -> None:
    passwords = {
        each["environment"]["PGUSER"]: re.findall(r"\{(\w+)", each["environment"]["PGPASSWORD"])
        for each in services().values()
    }

    assert passwords == {"litevault": ["DATABASE_PASSWORD"], "litevault_owner": ["DATABASE_OWNER_PASSWORD"]}


def test_compose_passes_every_setting_on() -> None:
    settings = {setting.name for setting in SETTINGS} - OF_DEVELOPMENT - OF_POOLERS
    of_all = {"DATABASE_URL", "LITEVAULT_LOG_FORMAT", "LITEVAULT_LOG_LEVEL"}
    of_listeners = {name for name in settings if name.startswith(OF_LISTENERS)}

    got = {name: settings & set(service["environment"]) for name, service in services().items()}

    assert got["listener"] == of_listeners | of_all
    assert got["web"] == got["events"] == settings - of_listeners
    assert got["manage"] == settings
    assert got["migrate"] == of_all


def test_addresses_hold_no_password() -> None:
    of_compose = {service["environment"]["DATABASE_URL"] for service in services().values()}
    addresses = of_compose | {cluster_config()["DATABASE_URL"]}

    assert len(addresses) == 2
    assert not [address for address in addresses if "@" in address]


def mebibytes(size: str) -> int:
    number, unit = re.findall(r"^(\d+)([a-zA-Z]+)$", size)[0]
    return int(number) * {"m": 1, "g": 1024}[unit.lower().removesuffix("i")]


@pytest.mark.parametrize("component", SECRETS)
def test_memory_is_limited_alike(component: str) -> None:
    (in_systemd,) = re.findall(r"^MemoryMax=(\w+)$", units()[component], re.MULTILINE)
    in_kubernetes = workloads()[component]["containers"][0]["resources"]["limits"]["memory"]
    in_compose = services()[component]["mem_limit"] if component != "purge" else in_kubernetes

    assert len({mebibytes(size) for size in (in_systemd, in_kubernetes, in_compose)}) == 1


def test_every_service_of_compose_has_limited_memory() -> None:
    every = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]

    assert [name for name, service in every.items() if "mem_limit" not in service] == []


def policies_of(component: str) -> list[dict[str, Any]]:
    """Return the network policies that select the pods of a component."""
    labels = {"app.kubernetes.io/name": "litevault", "app.kubernetes.io/component": component}
    policies = [found["spec"] for found in objects() if found["kind"] == "NetworkPolicy"]
    return [
        policy
        for policy in policies
        if policy["podSelector"]["matchLabels"].items() <= labels.items()
        and all(labels[each["key"]] in each["values"] for each in policy["podSelector"].get("matchExpressions", []))
    ]


def ports(component: str, direction: str) -> set[int | str]:
    return {
        port["port"]
        for policy in policies_of(component)
        for rule in policy.get(direction, [])
        for port in rule["ports"]
    }


@pytest.mark.parametrize(
    ("component", "incoming", "outgoing"),
    [
        ("web", {"http", "metrics"}, {53, 5432}),
        ("events", {"http", "metrics"}, {53, 5432}),
        ("listener", {"metrics"}, {53, 5432, 443}),
        ("migrate", set(), {53, 5432}),
        ("purge", set(), {53, 5432}),
    ],
)
def test_network_is_open_where_it_is_needed(component: str, incoming: set[int | str], outgoing: set[int | str]) -> None:
    named = {port["name"] for port in workloads()[component]["containers"][0].get("ports", [])}

    assert {kind for policy in policies_of(component) for kind in policy["policyTypes"]} == {"Ingress", "Egress"}
    assert ports(component, "ingress") == incoming == named
    assert ports(component, "egress") == outgoing


def test_pods_have_the_labels_that_policies_select() -> None:
    for found in objects():
        spec = found.get("spec", {})
        template = spec.get("jobTemplate", found).get("spec", {}).get("template")
        if template:
            name = found["metadata"]["name"].removeprefix("litevault-")
            assert template["metadata"]["labels"] == {
                "app.kubernetes.io/name": "litevault",
                "app.kubernetes.io/component": name,
            }
