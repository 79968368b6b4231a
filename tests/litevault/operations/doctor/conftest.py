"""A healthy installation, in which each test breaks one thing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from enrichment.config import LLMSettings
from items.queue import listener_name
from litevault import dotenv
from litevault.events.application import CONNECTION_NAME
from postgres.conninfo import listen_conninfo


@pytest.fixture
def listener_connection() -> object:
    with psycopg.connect(listen_conninfo(), application_name=listener_name("attic-7")) as connected:
        yield connected


@pytest.fixture
def events_connection() -> Iterator[psycopg.Connection[Any]]:
    """The connection of an events process, which a test may close."""
    with psycopg.connect(listen_conninfo(), application_name=CONNECTION_NAME) as connected:
        yield connected


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    folder = tmp_path / "collected"
    folder.mkdir()
    (folder / "staticfiles.json").write_text("{}")
    return folder


@pytest.fixture
def stub(
    settings: Settings, collected: Path, events_connection: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dotenv, "DOTENV", tmp_path / "none")
    settings.SECRET_KEY_IS_TEMPORARY = False
    settings.ALLOWED_HOSTS = ["vault.example.com"]
    settings.LLM = LLMSettings(provider="stub")
    settings.DEBUG = False
    settings.SECRET_KEY = "for these tests only, 50 characters long, and mixed"
    settings.STATIC_ROOT = collected
