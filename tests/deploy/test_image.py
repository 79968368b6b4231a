"""The image: `make image` builds it, and its containers run as deploy/compose.yml has them run.

PYTHON_IMAGE names another base, ENGINE another engine. Where the usual base cannot be pulled, debootstrap makes one.
"""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import litevault
from postgres.embedded.server import free_port
from tests.database import database_url
from tests.deploy.test_files import ROOT, image_command, services
from tests.deploy.test_procfile import capture, is_alive
from tests.enrichment.fake_llm_server import FakeLLMServer
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.timeout(1800)

HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
BASE = "localhost/litevault-test-base"
PORT_OPTIONS = ("--port", "--metrics-port")


class Engine:
    """Docker or podman."""

    def __init__(self, name: str) -> None:
        self.name = name
        # The machine's own network, so that containers reach the database of the test at 127.0.0.1.
        self.run_options = ["--rm", "--network=host", *HARDENED]
        if name == "podman":
            self.run_options += ["--cgroups=disabled", "--ulimit=host"]

    def run(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [self.name, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_SECONDS * 3, check=False
        )
        assert ran.returncode == 0 or not check, ran.stdout + ran.stderr
        return ran
