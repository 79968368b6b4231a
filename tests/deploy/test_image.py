"""The image: `make image` builds it, and its containers run as deploy/compose.yml has them run.

ENGINE chooses podman or docker, PYTHON_IMAGE another base. Where no base can be pulled, debootstrap makes one.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

import litevault
from items.states import Status
from tests.database import database_url
from tests.deploy.test_files import ROOT, image_command, services
from tests.deploy.test_procfile import capture, is_alive
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.timeout(3600)

IMAGE = "litevault:latest"
BASE = "localhost/litevault-test-base"
BUILD_SECONDS = 1200.0
PORT_OPTIONS = {"--port", "--metrics-port"}
OPTIONS = [
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--network=host",  # the database of the test listens at 127.0.0.1 only
    # Podman raises these by default, which not every machine allows.
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=4096:4096",
]


def run(*words: object, seconds: float = PATIENCE_SECONDS, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def output(*words: object, seconds: float = PATIENCE_SECONDS, **environment: str) -> str:
    ran = run(*words, seconds=seconds, **environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


class Containers:
    """Containers of the image."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def words(self, *command: str, name: str = "", variables: dict[str, str] | None = None) -> list[str]:
        given = [f"--env={key}={value}" for key, value in (variables or {}).items()]
        return [self.engine, "run", "--rm", f"--name={name or uuid4()}", *OPTIONS, *given, IMAGE, *command]

    def run(self, *command: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return run(*self.words(*command, variables=variables))

    def is_healthy(self, name: str) -> bool:
        return run(self.engine, "exec", name, "python", "healthcheck.py").returncode == 0

    @contextmanager
    def running(self, log: Path, *command: str, variables: dict[str, str]) -> Iterator[str]:
        """Run the command until the end of the block, and check that SIGTERM ends it in an orderly way."""
        name = f"{log.name}-{uuid4()}"
        with log.open("w") as file:
            process = subprocess.Popen(
                self.words(*command, name=name, variables=variables), stdout=file, stderr=subprocess.STDOUT
            )
        try:
            yield name
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0, log.read_text()
        finally:
            run(self.engine, "rm", "--force", name)
            process.wait()


def pull_or_make_base(engine: str, folder: Path) -> str:
    """Return the base that `make image` uses, or else one with Debian's Python, and what this machine trusts."""
    (usual,) = (
        line.removeprefix("ARG PYTHON_IMAGE=")
        for line in (ROOT / "deploy" / "Containerfile").read_text().splitlines()
        if line.startswith("ARG PYTHON_IMAGE=")
    )
    if run(engine, "image", "inspect", BASE).returncode == 0:
        return BASE
    if run(engine, "pull", usual, seconds=BUILD_SECONDS).returncode == 0:
        return usual
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        pytest.skip("The base of the image cannot be pulled, and debootstrap as root is not there to make another.")
    made = run(
        "debootstrap",
        "--variant=minbase",
        "--include=ca-certificates,python3,python3-pip",
        "bookworm",
        folder,
        seconds=BUILD_SECONDS,
    )
    if made.returncode != 0:
        pytest.skip("The base of the image cannot be pulled, and Debian's packages are not reachable.")
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", folder / "etc/ssl/certs")
    archive = folder.with_suffix(".tar")
    output("tar", "--create", "--file", archive, "--directory", folder, "--one-file-system", ".")
    output(engine, "import", archive, BASE, seconds=BUILD_SECONDS)
    return BASE


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Containers:
    for engine in [os.environ["ENGINE"]] if os.environ.get("ENGINE") else ["podman", "docker"]:
        if shutil.which(engine) and run(engine, "info").returncode == 0:
            break
    else:
        pytest.skip("Neither podman nor docker runs here, so that no image can be built.")
    base = os.environ.get("PYTHON_IMAGE") or pull_or_make_base(engine, tmp_path_factory.mktemp("image") / "base")
    output("make", "image", f"ENGINE={engine}", f"PYTHON_IMAGE={base}", "ARGS=--network=host", seconds=BUILD_SECONDS)
    return Containers(engine)


@pytest.fixture
def database(db: None) -> Iterator[str]:
    """An empty one."""
    with psycopg.connect(database_url(), autocommit=True) as administrator:
        administrator.execute("CREATE DATABASE image")
        try:
            yield urlsplit(database_url())._replace(path="/image").geturl()
        finally:
            administrator.execute("DROP DATABASE image WITH (FORCE)")


@pytest.fixture
def model() -> Iterator[FakeLLMServer]:
    server = FakeLLMServer().start()
    yield server
    server.stop()


def at_port(command: list[str], port: int) -> list[str]:
    """Return the command with another port, so that it does not meet a program of this machine."""
    return [
        str(port) if before in PORT_OPTIONS else word for before, word in zip(["", *command], command, strict=False)
    ]


def test_all_processes_run_in_containers(
    containers: Containers, database: str, model: FakeLLMServer, tmp_path: Path
) -> None:
    commands = {name: service.get("command") or image_command() for name, service in services().items()}
    ports = {name: free_port() for name in ("web", "events", "listener")}
    common = {"DATABASE_URL": database}
    web = common | {
        "LITEVAULT_SECRET_KEY": "for this test only, but as long and mixed as a real one",
        "LITEVAULT_ALLOWED_HOSTS": "127.0.0.1",
        "LITEVAULT_METRICS_PORT": str(free_port()),
        "LITEVAULT_EVENTS_METRICS_PORT": str(free_port()),
    }
    listener = common | {
        "LITEVAULT_LLM_MODEL": "openai/gpt-4o-mini",
        "LITEVAULT_LLM_API_BASE": model.url,
        "OPENAI_API_KEY": "for-this-test",
    }

    migrated = containers.run(*commands["migrate"], variables=common)
    assert migrated.returncode == 0, migrated.stderr
    made = containers.run(
        "python", "manage.py", "create_token", "demo", "--create-user", "--name", "test", "--json", variables=common
    )
    assert made.returncode == 0, made.stderr
    with ExitStack() as stack:
        names = {
            name: stack.enter_context(
                containers.running(
                    tmp_path / name,
                    *at_port(commands[name], port),
                    variables=listener if name == "listener" else web,
                )
            )
            for name, port in ports.items()
        }
        for port in (*ports.values(), *(int(web[key]) for key in web if key.endswith("METRICS_PORT"))):
            until(lambda port=port: is_alive(port))  # type: ignore[misc]  # a default that binds
        assert all(containers.is_healthy(name) for name in names.values())
        with psycopg.connect(database, autocommit=True) as connected:
            key = capture(ports["web"], json.loads(made.stdout)["token"])
            until(lambda: connected.execute("SELECT status FROM items").fetchall() == [(Status.READY_TO_CONFIRM,)])
            assert [str(found) for (found,) in connected.execute("SELECT id FROM items")] == [key]
    assert model.calls


def test_process_that_does_not_respond_is_unhealthy(containers: Containers, tmp_path: Path) -> None:
    code = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); signal.pause()"
    waits = ("python", "-c", code, "--metrics-port", str(free_port()))

    with containers.running(tmp_path / "silent", *waits, variables={}) as name:
        until(lambda: run(containers.engine, "exec", name, "true").returncode == 0)
        assert not containers.is_healthy(name)


def test_image_is_labelled_and_runs_as_no_root(containers: Containers) -> None:
    (about,) = json.loads(output(containers.engine, "image", "inspect", IMAGE))
    config: dict[str, Any] = about["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}

    assert labels["version"] == litevault.__version__
    assert labels["revision"].startswith(output("git", "rev-parse", "HEAD").strip())
    assert {labels["title"], labels["licenses"]} == {"LiteVault", "MIT"}
    assert (config["User"], config["StopSignal"]) == ("10001", "SIGTERM")
    assert (config.get("Healthcheck") or about["Healthcheck"])["Test"] == ["CMD", "python", "healthcheck.py"]
    assert containers.run("id", "-u").stdout == "10001\n"


@pytest.mark.parametrize(
    "command",
    [
        "touch /app/x",
        "touch /x",
        "python -m pip --version",
        "cc --version",
        "find / -xdev -name pg_ctl | grep .",
        "find / -xdev '(' -name '.env*' -o -name '.git' -o -name secrets ')' | grep .",
        "find /app -name tests | grep .",
        "find /root /home /var/cache -path '*pip*' | grep .",
        "env | grep -E '^(LITEVAULT_|DATABASE_|PG|[A-Z]+_API_KEY)'",
    ],
)
def test_image_lacks_what_no_process_needs(command: str, containers: Containers) -> None:
    ran = containers.run("sh", "-c", f"if {command}; then echo yes; else echo no; fi")

    assert ran.stdout.splitlines()[-1:] == ["no"], ran.stdout + ran.stderr
