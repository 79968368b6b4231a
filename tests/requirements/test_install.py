"""The environment of `make`: real virtual environments, with tiny packages from a folder."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.waiting import PATIENCE_SECONDS

ROOT = Path(settings.BASE_DIR)


class Checkout:
    """A folder with the installer, locks of its own, and their packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir(exist_ok=True)
        (folder / "requirements").mkdir(exist_ok=True)
        shutil.copy(ROOT / "requirements" / "install.sh", folder / "requirements")

    def lock(self, name: str, *packages: str) -> None:
        lines = [f"{package}==1.0 --hash=sha256:{self._wheel(package)}" for package in packages]
        (self.folder / "requirements" / f"{name}.txt").write_text("\n".join(lines) + "\n")

    def install(self, lock: str, *, python: str = "") -> str:
        result = self.try_to_install(lock, python=python)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def try_to_install(self, lock: str, *, python: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "UV": ""}
        return subprocess.run(
            [self.folder / "requirements" / "install.sh", ".venv", lock],
            cwd=self.folder,
            env=environment | ({"PYTHON": python} if python else {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def packages(self) -> set[str]:
        """Return the installed packages, without those of every environment."""
        (site,) = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        return {path.name.split("-")[0] for path in site.glob("*.dist-info")} - {"pip", "setuptools"}

    def record_of(self, package: str) -> Path:
        (site,) = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        return site / f"{package}-1.0.dist-info" / "RECORD"

    def _wheel(self, package: str) -> str:
        """Make the package if it is missing, and return its hash."""
        path = self.wheels / f"{package}-1.0-py3-none-any.whl"
        if not path.exists():
            with zipfile.ZipFile(path, "w") as wheel:
                about = f"{package}-1.0.dist-info"
                wheel.writestr(f"{package}.py", "")
                wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
                wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                wheel.writestr(f"{about}/RECORD", "")
        return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A checkout whose smaller set is installed, and the installer's output."""
    checkout = Checkout(tmp_path_factory.mktemp("installed"))
    checkout.lock("base", "red", "green")
    checkout.lock("dev", "red", "green", "blue")
    return checkout.folder, checkout.install("base")


@pytest.fixture
def checkout(installed: tuple[Path, str], tmp_path: Path) -> Checkout:
    """A copy of that: making an environment takes seconds, copying one does not."""
    return Checkout(shutil.copytree(installed[0], tmp_path / "checkout", symlinks=True))


def test_larger_set_is_installed_on_top_of_the_smaller(checkout: Checkout, installed: tuple[Path, str]) -> None:
    only_base = checkout.packages()

    checkout.install("dev")

    assert installed[1].startswith("Installing 2 packages into .venv with pip ")
    assert only_base == {"red", "green"}
    assert checkout.packages() == {"red", "green", "blue"}
    assert (checkout.install("base"), checkout.install("dev")) == ("", "")


def test_interrupted_installation_goes_on(checkout: Checkout) -> None:
    checkout.record_of("green").unlink()
    stamp = checkout.folder / ".venv" / "base.txt"
    stamp.rename(f"{stamp}.part")
    kept = checkout.record_of("red").stat().st_ino

    checkout.install("base")

    assert checkout.record_of("green").exists()
    assert checkout.record_of("red").stat().st_ino == kept


def test_environment_of_other_requirements_keeps_no_stray(checkout: Checkout) -> None:
    checkout.lock("base", "red", "white")

    checkout.install("base")

    assert checkout.packages() == {"red", "white"}


def test_missing_package_is_named_and_nothing_is_done(checkout: Checkout) -> None:
    lock = checkout.folder / "requirements" / "dev.txt"
    lock.write_text(lock.read_text().replace("blue", "grey"))

    result = checkout.try_to_install("dev")

    assert result.returncode == 1
    assert "grey" in result.stderr
    assert "The same command again goes on where this one stopped." in result.stderr
    assert checkout.packages() == {"red", "green"}


def test_python_that_does_not_run_is_named(checkout: Checkout) -> None:
    shim = checkout.folder / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)

    result = checkout.try_to_install("base", python=str(shim))

    assert result.returncode == 1
    assert result.stderr.startswith(f"LiteVault needs Python 3.11 or newer, and {shim} is not, or does not run.")
