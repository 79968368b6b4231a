"""The tiers of tests: `make test-fast` leaves out the slow ones, `make test` only the thorough ones.

Tests that start a process or take seconds are marked `slow`. Of these, `thorough` ones repeat in many ways what others
show once. `make check` runs them all.
"""

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

import pytest

TESTS = Path(__file__).parent.parent
PLACES = (
    "browser",
    "deploy",
    "end_to_end",
    "enrichment/providers",
    "enrichment/test_restarts.py",
    "enrichment/test_supervisor.py",
    "failover",
    "faults",
    "hardening",
    "items/test_migration_locks.py",
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
THOROUGH_PLACES = (
    "benchmarks",
    "browser/test_causes.py",
    "browser/test_dashboard.py",
    "browser/test_faults.py",
    "browser/test_forms.py",
    "browser/test_keyboard.py",
    "browser/test_live.py",
    "browser/test_owner.py",
    "browser/test_pages.py",
    "browser/test_review.py",
    "browser/test_without_scripts.py",
    "deploy/test_image.py",
    "deploy/test_monitoring.py",
    "deploy/test_nginx.py",
    "deploy/test_package.py",
    "deploy/test_procfile.py",
    "deploy/test_roles.py",
    "deploy/test_sbom.py",
    "deploy/test_scaling_page.py",
    "docs/test_tutorial.py",
    "end_to_end/test_listener_metrics.py",
    "end_to_end/test_listener_processes.py",
    "end_to_end/test_metrics_ports.py",
    "end_to_end/test_provider_outage.py",
    "end_to_end/test_rate_limit.py",
    "end_to_end/test_signals.py",
    "enrichment/providers/test_fault_matrix.py",
    "enrichment/providers/test_injections.py",
    "enrichment/providers/test_keys_sent.py",
    "enrichment/test_database_errors.py",
    "enrichment/test_real_markup.py",
    "faults/test_discard.py",
    "faults/test_doorbell.py",
    "faults/test_hosts.py",
    "faults/test_long_queue.py",
    "faults/test_pooler.py",
    "faults/test_read_only_server.py",
    "faults/test_silent_host.py",
    "faults/test_silent_network.py",
    "faults/test_vanished_standby.py",
    "faults/test_worker_death.py",
    "hardening",
    "items/test_bounds.py",
    "items/test_migration_locks.py",
    "items/test_saved_unchanged.py",
    "items/transfer/test_capture_interrupted.py",
    "items/transfer/test_capture_process.py",
    "items/transfer/test_export_import_processes.py",
    "items/transfer/test_foreign_properties.py",
    "items/transfer/test_real_files.py",
    "litevault/events/test_handshake.py",
    "litevault/events/test_limits.py",
    "litevault/events/test_metrics.py",
    "litevault/events/test_stopping.py",
    "litevault/operations/doctor/test_model.py",
    "litevault/operations/test_checks.py",
    "litevault/operations/test_telemetry.py",
    "litevault/test_ascii_terminal.py",
    "litevault/test_manage.py",
    "postgres/embedded/test_refusals.py",
    "postgres/embedded/test_root.py",
    "postgres/embedded/test_sharing.py",
    "postgres/embedded/test_sudden_death.py",
    "privacy/test_processes.py",
    "privacy/test_search.py",
    "requirements/test_install.py",
    "soak",
    "verification",
)
SLOW = frozenset(TESTS / place for place in (*PLACES, *THOROUGH_PLACES))
THOROUGH = frozenset(TESTS / place for place in THOROUGH_PLACES)
NEEDS_LITELLM = (TESTS / "enrichment/providers", TESTS / "litevault/operations/doctor/test_model.py")
FIXTURES = {"start", "shared_events", "chromium"}
STARTS_A_PROCESS = ((subprocess.Popen, "__init__"), (os, "fork"), (os, "posix_spawn"))


def first_usual(first: Any, *others: Any) -> list[Any]:
    """Return the parameters of a test. `make test` takes the first of them, and `make check` all."""
    return [first, *(pytest.param(other, marks=pytest.mark.thorough) for other in others)]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without importing them, which would take as long as the quick tests."""
    left_out = {"not slow": SLOW, "not thorough": THOROUGH}
    wanted = config.option.markexpr
    return (
        True if any(mark in wanted and _is_in(places, collection_path) for mark, places in left_out.items()) else None
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_in(THOROUGH, item.path):
            item.add_marker("thorough")
        if _is_in(SLOW, item.path) or not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    if processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = _slow_first(items, processes)


def _slow_first(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """Order the tests so that each of the processes begins with its part of the slow ones.

    Each process takes an equal run of the list, and one that has finished steals from the end of another's. Tests of
    one file stay together. Those that need litellm do, too, because importing it takes seconds.
    """
    slow: list[list[pytest.Item]] = [[] for _ in range(processes)]
    quick: list[pytest.Item] = []
    for path, group in groupby(items, key=lambda item: item.path):
        tests = list(group)
        if any(path.is_relative_to(place) for place in NEEDS_LITELLM):
            slow[0] += tests
        elif tests[0].get_closest_marker("slow"):
            min(slow[1:] or slow, key=len).extend(tests)
        else:
            quick += tests
    ordered: list[pytest.Item] = []
    for number, part in enumerate(slow):
        end = len(items) * (number + 1) // processes
        missing = max(0, end - len(ordered) - len(part))
        ordered += part + quick[:missing]
        quick = quick[missing:]
    return ordered + quick


@cache
def _is_in(places: frozenset[Path], path: Path) -> bool:
    return not places.isdisjoint([path, *path.parents])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Keep the tier quick: a test that starts a process without the mark fails.

    An audit hook would see more. But while a hook runs, Python 3.11 refuses to set the trace function of coverage in
    new threads.
    """
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("slow") is None:
            for place, name in STARTS_A_PROCESS:
                patch.setattr(place, name, _refuse_process)
        yield


def _refuse_process(*_: Any, **__: Any) -> NoReturn:
    pytest.fail("This test starts a process: mark it with pytest.mark.slow.")
