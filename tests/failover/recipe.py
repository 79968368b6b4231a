"""The machines of docs/high-availability.md, each an address of the loopback network, with the files of the recipe."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil  # type: ignore[import-untyped]  # it carries no types
import psycopg
from django.conf import settings

from postgres.embedded.binaries import find_binaries
from postgres.embedded.privileges import Identity, find_identity
from tests.embedded import throwaway_folder
from tests.waiting import PATIENCE_SECONDS, until

FILES = Path(settings.BASE_DIR) / "deploy" / "high-availability"
PROGRAMS = ("etcd", "haproxy", "patroni", "patronictl")
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
NODES = ("db1", "db2", "app1")
NAMES_ALL = re.compile(r"^  hosts:|^ETCD_INITIAL_CLUSTER=")
DATABASES = NODES[:2]
PASSWORDS = {"PATRONI_SUPERUSER_PASSWORD": "of-the-test", "PATRONI_REPLICATION_PASSWORD": "of-the-test"}


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


class Recipe:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._subnet = f"127.{os.getpid() % 200 + 1}.{os.getpid() // 200 % 250}."
        self._binaries = find_binaries()
        self._identity: Identity = find_identity(folder, self._binaries)
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._frozen: set[psutil.Process] = set()
        self.url = f"postgresql://litevault:of-the-test@{self._subnet}3:5000/litevault"

    def start(self) -> None:
        for node in NODES:
            lines = self._text("etcd.env", node).replace("/var/lib/etcd", str(self._folder / node)).splitlines()
            variables = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
            self._start(f"etcd-{node}", "etcd", **variables)
        for node in DATABASES:
            self.start_patroni(node)
        config = self._folder / "haproxy.cfg"
        config.write_text(self._text("haproxy.cfg").replace("127.0.0.1:5000", f"{self._subnet}3:5000"))
        self._start("haproxy", "haproxy", "-db", "-f", str(config))
        until(self.is_synchronous)
        superuser = f"postgresql://postgres:of-the-test@{self._subnet}3:5000/postgres"
        until(lambda: self._can_connect(superuser))
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("CREATE ROLE litevault LOGIN PASSWORD 'of-the-test'")
            connection.execute("CREATE DATABASE litevault OWNER litevault")

    def start_patroni(self, node: str) -> None:
        text = self._text("patroni.yml", node).replace("/var/lib/postgresql/15/litevault", str(self._data(node)))
        text = text.replace("/usr/lib/postgresql/15/bin", str(self._binaries.folder))
        text = text.replace("/var/run/postgresql", str(self._folder / node))
        config = self._folder / f"{node}.yml"
        config.write_text(text.replace("10.0.0.0/24", "127.0.0.0/8").replace("peer", "scram-sha-256"))
        self._start(f"patroni-{node}", "patroni", str(config), **PASSWORDS)

    def members(self) -> dict[str, str]:
        """Return the role of each member that runs, from the first machine that answers."""
        for number, _ in enumerate(DATABASES, start=1):
            try:
                with urlopen(f"http://{self._subnet}{number}:8008/cluster", timeout=2) as response:
                    found = json.load(response)["members"]
            except OSError:
                continue
            return {each["name"]: each["role"] for each in found if each["state"] in ("running", "streaming")}
        return {}

    def leader(self) -> str:
        return next((name for name, role in self.members().items() if role == "leader"), "")

    def is_synchronous(self) -> bool:
        return sorted(self.members().values()) == ["leader", "sync_standby"]

    def switch_over(self) -> None:
        command = [self._program("patronictl"), "-c", str(self._folder / "db1.yml"), "switchover", "--force"]
        subprocess.run(command, env=self._environment(), capture_output=True, check=True, timeout=PATIENCE_SECONDS)

    def kill_machine(self, node: str) -> None:
        """Kill Patroni and PostgreSQL there, without a chance to say goodbye."""
        self.freeze_machine(node)
        for process in self._frozen:
            process.kill()
        self._started[f"patroni-{node}"].wait()

    def freeze_machine(self, node: str) -> None:
        postmaster = psutil.Process(int((self._data(node) / "postmaster.pid").read_text().splitlines()[0]))
        patroni = psutil.Process(self._started[f"patroni-{node}"].pid)
        for process in (patroni, postmaster):
            process.send_signal(signal.SIGSTOP)
        self._frozen = {patroni, postmaster, *patroni.children(recursive=True), *postmaster.children(recursive=True)}
        for process in self._frozen:
            process.send_signal(signal.SIGSTOP)

    def thaw_machine(self) -> None:
        for process in self._frozen:
            if process.is_running():
                process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw_machine()
        for process in reversed(self._started.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE_SECONDS)

    def _text(self, name: str, node: str = "db1") -> str:
        """Return a file of the recipe as it is on this node, with addresses of this machine."""
        own = f"10.0.0.{NODES.index(node) + 1}"
        lines = (FILES / name).read_text().splitlines(keepends=True)
        if name != "haproxy.cfg":
            lines = [line if NAMES_ALL.search(line) else of_node(line, node, own) for line in lines]
        return re.sub(r"10\.0\.0\.(?=[1-9])", self._subnet, "".join(lines))

    def _data(self, node: str) -> Path:
        return self._folder / node / "postgres"

    def _start(self, name: str, program: str, *arguments: str, **variables: str) -> None:
        folder = self._folder / name.rpartition("-")[2]
        folder.mkdir(exist_ok=True)
        self._identity.change_owner(folder)
        with (self._folder / f"{name}.log").open("ab") as log:
            self._started[name] = subprocess.Popen(
                [self._program(program), *arguments],
                cwd=folder,
                env=self._environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self._identity.preexec_fn(),
            )

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=PATH)
        assert found
        return found

    def _environment(self, **variables: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        return kept | {"PATH": PATH, "LC_ALL": "C.UTF-8", **variables}

    def _can_connect(self, url: str) -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def of_node(line: str, node: str, own: str) -> str:
    return line.replace("10.0.0.1", own).replace("db1", node)


@contextmanager
def recipe() -> Iterator[Recipe]:
    with throwaway_folder() as folder:
        machines = Recipe(folder)
        try:
            machines.start()
            yield machines
        finally:
            machines.stop()
