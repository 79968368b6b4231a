"""The sdist and the wheel: what is in them, and the program `litevault` in an environment without a checkout.

The wheel finds the packages that it depends on among those of this environment, because installing them takes minutes.
"""

import http.client
import json
import re
import signal
import subprocess
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

import litevault
from tests.clones import bare_environment
from tests.embedded import throwaway_folder
from tests.ports import free_port
from tests.processes import named
from tests.waiting import PATIENCE_SECONDS, until

ROOT = Path(settings.BASE_DIR)
LOCK = ROOT / "requirements" / "build.txt"
PACKAGES = ("litevault", "items", "enrichment", "postgres")
HEADERS = {"X-Dev-User-Id": "demo", "Content-Type": "application/json"}


def run(*command: object, cwd: Path = ROOT) -> str:
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of an environment that can build."""
    folder = tmp_path_factory.mktemp("package") / "venv"
    venv.create(folder, with_pip=True)
    install: list[str | Path] = [folder / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", LOCK]
    if subprocess.run(install, capture_output=True, timeout=300, check=False).returncode:
        pytest.skip("PyPI is not reachable, so that the build tools cannot be installed.")
    return folder / "bin"


@pytest.fixture(scope="module")
def dist(programs: Path) -> Path:
    folder = programs.parent / "dist"
    run(programs / "python", "-m", "build", "--no-isolation", "--quiet", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def program(programs: Path, dist: Path) -> Path:
    """Return the program that the wheel installs."""
    run(programs / "pip", "install", "--no-deps", *dist.glob("*.whl"))
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return programs / "litevault"


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    with throwaway_folder() as folder:
        yield folder
        until(lambda: not named(folder))


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """Return the files of this checkout that git does not ignore."""
    if not (ROOT / ".git").exists():
        pytest.skip("This is no checkout of git.")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    return {name for name in listed if name and (ROOT / name).exists()}


def test_sdist_holds_all_that_is_tracked(dist: Path, tracked: set[str]) -> None:
    (path,) = dist.glob("*.tar.gz")

    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}

    assert names == tracked | {"PKG-INFO"}


def test_wheel_holds_all_files_of_the_packages(dist: Path, tracked: set[str]) -> None:
    (path,) = dist.glob("*.whl")

    names = {name for name in zipfile.ZipFile(path).namelist() if ".dist-info/" not in name}

    assert names == {name for name in tracked if name.startswith(tuple(f"{package}/" for package in PACKAGES))}
    assert {".html", ".css", ".js", ".sql", ".md"} <= {Path(name).suffix for name in names}


def test_files_are_named_for_the_version(dist: Path) -> None:
    version = litevault.__version__

    assert {path.name for path in dist.iterdir()} == {
        f"litevault-{version}.tar.gz",
        f"litevault-{version}-py3-none-any.whl",
    }


def test_installed_program_names_its_version(program: Path, empty_folder: Path) -> None:
    assert run(program, "version", cwd=empty_folder) == f"{litevault.__version__}\n"
    assert not list(empty_folder.iterdir())


def test_installed_program_keeps_its_files_in_the_folder(program: Path, empty_folder: Path) -> None:
    """Static files and `.env`, too."""
    (empty_folder / ".env").write_text("DATABASE_URL=postgresql://litevault@127.0.0.1:1/litevault\n")

    run(program, "collectstatic", "--noinput", cwd=empty_folder)

    assert {path.name for path in empty_folder.iterdir()} == {".env", "staticfiles"}
    assert (empty_folder / "staticfiles" / "items").is_dir()


def test_installed_up_enriches_a_text_in_an_empty_folder(program: Path, empty_folder: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "up.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [program, "up", "--port", str(port)],
            cwd=empty_folder,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as up,
    ):
        try:
            until(lambda: "Ctrl-C stops all of it" in log.read_text() or up.poll() is not None)
            assert up.poll() is None, log.read_text()
            item = call(port, "POST", "items", {"rawText": "Beans need warm soil."})
            until(lambda: call(port, "GET", f"items/{item['id']}")["status"] == "READY_TO_CONFIRM")
            up.send_signal(signal.SIGINT)
            assert up.wait(PATIENCE_SECONDS) == 0
        finally:
            up.kill()

    assert log.read_text().endswith("Stopped.\n")
    assert {path.name for path in empty_folder.iterdir()} == {"var"}
    assert {path.name for path in (empty_folder / "var").iterdir()} == {"postgres", "admin-password"}


def call(port: int, method: str, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, HEADERS)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def test_headings_of_the_changelog_are_versions_with_dates() -> None:
    """`make release` looks for this heading."""
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings
    assert all(re.fullmatch(r"Unreleased|\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", heading) for heading in headings)
