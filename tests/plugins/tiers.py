"""The quick tier: tests that start no process, which `make test-fast` runs. All others bear the mark `process`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDERS = (
    "browser deploy end_to_end faults hardening postgres/embedded privacy requirements soak verification"
).split()
FIXTURES = {"start", "chromium"}
STARTS_A_PROCESS = {"subprocess.Popen", "os.fork", "os.posix_spawn"}

_is_forbidden = False


def pytest_configure() -> None:
    sys.addaudithook(_refuse_processes)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folders = [Path(__file__).parent.parent / folder for folder in FOLDERS]
    for item in items:
        is_in_folder = not set(folders).isdisjoint(item.path.parents)
        if is_in_folder or not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("process")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Keep the tier quick: a test that starts a process without the mark fails."""
    global _is_forbidden  # noqa: PLW0603  # an audit hook is given nothing but the event
    _is_forbidden = item.get_closest_marker("process") is None
    try:
        yield
    finally:
        _is_forbidden = False


def _refuse_processes(event: str, _arguments: tuple[Any, ...]) -> None:
    if _is_forbidden and event in STARTS_A_PROCESS:
        pytest.fail("This test starts a process: mark it with pytest.mark.process.")
