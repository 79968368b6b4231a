"""The watchdog of the event loop. Load of the machine only makes blocks longer, and no test depends on their length."""

import asyncio
import logging
import sys
import time

import pytest
from structlog.testing import capture_logs

from enrichment import metrics
from enrichment.watchdog import LOG_SECONDS, MAX_FRAMES, Watchdog, functions_of
from tests.enrichment.virtual_time import run
from tests.enrichment.waiting import until

PATIENCE_SECONDS = 60.0


def blocked() -> float:
    return metrics.REGISTRY.get_sample_value("litevault_loop_blocked_total") or 0.0


def log_from(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("enrichment.watchdog")
    monkeypatch.setattr(logger, "level", level)
    logger.manager._clear_cache()  # type: ignore[attr-defined]


async def test_blocked_loop_is_counted_and_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    log_from(logging.INFO, monkeypatch)
    before = blocked()
    with capture_logs() as events:
        watching = asyncio.create_task(Watchdog().run())
        await asyncio.sleep(0)

        time.sleep(0.3)  # noqa: ASYNC251  # it is to block the loop

        await until(lambda: blocked() > before)
        watching.cancel()

    event = next(event for event in events if event["event"] == "loop.blocked")
    assert event["seconds"] > 0.2
    assert "functions" not in event


def test_responsive_loop_is_not_counted() -> None:
    async def scenario() -> float:
        before = blocked()
        watching = asyncio.create_task(Watchdog().run())
        await asyncio.sleep(1000)
        watching.cancel()
        return blocked() - before

    assert run(scenario()) == 0


def block_until_seen(watchdog: Watchdog) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not watchdog._functions and time.monotonic() < deadline:
        time.sleep(0.01)


async def test_debug_log_has_the_functions_that_block(monkeypatch: pytest.MonkeyPatch) -> None:
    log_from(logging.DEBUG, monkeypatch)
    watchdog = Watchdog()
    with capture_logs() as events:
        watching = asyncio.create_task(watchdog.run())
        await asyncio.sleep(0)

        block_until_seen(watchdog)

        await until(lambda: events)
        watching.cancel()

    assert any(name.endswith(".block_until_seen") for name in events[0]["functions"])
    assert all("=" not in name for name in events[0]["functions"])


def test_many_blocks_are_one_log_event_with_the_longest() -> None:
    watchdog = Watchdog()
    with capture_logs() as events:
        for seconds, now in ((0.1, 100.0), (0.7, 101.0), (0.2, 102.0), (0.1, 100.0 + LOG_SECONDS)):
            watchdog._record(seconds, now)

    assert [event["seconds"] for event in events] == [0.1, 0.7]


def deep(frames: int) -> list[str]:
    return functions_of(sys._getframe()) if frames == 0 else deep(frames - 1)


def test_stack_is_bounded() -> None:
    assert len(deep(2 * MAX_FRAMES)) == MAX_FRAMES
    assert functions_of(None) == []
