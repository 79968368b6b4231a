"""The quick tier, which `make test-fast` runs. Tests that start a process or take seconds are marked `slow`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
PLACES = (
    "browser",
    "deploy",
    "end_to_end",
    "enrichment/providers",
    "enrichment/test_restarts.py",
    "enrichment/test_supervisor.py",
    "faults",
    "hardening",
    "items/test_migrations.py",
    "items/transfer",
    "litevault/operations/doctor",
    "litevault/test_manage.py",
    "litevault/operations/test_checks.py",
    "litevault/test_settings.py",
    "postgres/embedded",
    "privacy",
    "requirements",
    "soak",
    "verification",
)
SLOW = {TESTS / place for place in PLACES}
FIXTURES = {"start", "shared_events", "chromium"}
STARTS_A_PROCESS = {"subprocess.Popen", "os.fork", "os.posix_spawn"}

_is_forbidden = False


def pytest_configure() -> None:
    sys.addaudithook(_refuse_processes)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the slow files without importing them, which would take as long as the quick tests."""
    return True if "not slow" in config.option.markexpr and _is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_slow(item.path) or not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


def _is_slow(path: Path) -> bool:
    return not SLOW.isdisjoint([path, *path.parents])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Keep the tier quick: a test that starts a process without the mark fails."""
    global _is_forbidden  # noqa: PLW0603  # an audit hook is given nothing but the event
    _is_forbidden = item.get_closest_marker("slow") is None
    try:
        yield
    finally:
        _is_forbidden = False


def _refuse_processes(event: str, _arguments: tuple[Any, ...]) -> None:
    if _is_forbidden and event in STARTS_A_PROCESS:
        pytest.fail("This test starts a process: mark it with pytest.mark.slow.")
