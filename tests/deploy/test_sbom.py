"""`make sbom` lists the packages of the product, and `make audit` can read their lock."""

import json
import re
import subprocess
from pathlib import Path

import pytest

import litevault
from tests.clones import bare_environment
from tests.deploy.test_files import ROOT
from tests.requirements.test_locks import lock_text, locked

pytestmark = pytest.mark.timeout(1200)


def make(target: str, folder: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    """Run it with environments of its own."""
    places = [f"AUDIT_VENV={folder / 'audit'}", f"PRODUCT_VENV={folder / 'product'}", f"SBOM={folder / 'sbom.json'}"]
    return subprocess.run(
        ["/usr/bin/env", "make", target, *places, *variables],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sbom")
    if "could not be installed" in make("audit", folder, "ARGS=--dry-run").stderr:
        pytest.skip("PyPI is not reachable, so that the tools cannot be installed.")
    return folder


def test_sbom_lists_the_lock_and_nothing_else(folder: Path) -> None:
    made = make("sbom", folder)
    assert made.returncode == 0, made.stderr

    sbom = json.loads((folder / "sbom.json").read_text())
    product = sbom["metadata"]["component"]

    assert (sbom["bomFormat"], product["name"], product["version"]) == ("CycloneDX", "litevault", litevault.__version__)
    assert {part["purl"] for part in sbom["components"]} == {
        f"pkg:pypi/{name}@{requirement.specifier}".replace("==", "")
        for name, requirement in locked(lock_text("base")).items()
    }
    assert any(entry["ref"] == product["bom-ref"] and entry["dependsOn"] for entry in sbom["dependencies"])


def test_audit_reads_every_package_of_the_lock(folder: Path) -> None:
    audited = make("audit", folder, "ARGS=--dry-run")

    assert audited.returncode == 0, audited.stderr
    assert re.search(r"would have audited (\d+) packages", audited.stderr)[1] == str(len(locked(lock_text("base"))))  # type: ignore[index]  # else it fails here
