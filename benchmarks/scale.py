"""What grows with the table, and what more workers bring."""

import shutil
import time
from collections.abc import Callable
from typing import Any

from benchmarks.benchmark import Benchmark, Run
from benchmarks.bloat import measure_bloat
from benchmarks.contenders.all import LITEVAULT
from benchmarks.crowd import grow_to, make_owners
from benchmarks.efficiency import efficiency
from benchmarks.figures import percentile
from benchmarks.listeners import listeners
from benchmarks.running import fresh_keys, until, until_done, working
from benchmarks.scratch import PROJECT

SIZES_QUICK = (0, 10_000, 100_000)
SIZES_FULL = (0, 100_000, 1_000_000, 10_000_000)
BYTES_FOR_TEN_MILLION = 25 * 2**30
LATENCY_SECONDS = 0.5
CONCURRENCY = 50
CLAIMED: dict[str, Any] = {
    "after_owner": 0,
    "limit": 10,
    "per_owner": 0,
    "lease_seconds": 45,
    "worker": "benchmark",
    "text_length": 1_000_000,
}


def run(asked: Run) -> None:
    LITEVAULT.install(asked.url)
    more_workers(asked)
    measure_bloat(asked)
    LITEVAULT.forget(asked.url)
    growing_table(asked)


def growing_table(asked: Run) -> None:
    owner = make_owners(asked.url)
    for size in SIZES_FULL if asked.is_full else SIZES_QUICK:
        if size == max(SIZES_FULL) and shutil.disk_usage("/").free < BYTES_FOR_TEN_MILLION:
            asked.report.remark(f"{size:,} items were left out: the disk has not 25 GiB to spare.")
            continue
        grow_to(asked.url, size, owner=owner)
        for name, look in looks(owner).items():
            for _ in range(3):
                look()
            for _ in range(asked.rounds):
                took = percentile([timed(look) for _ in range(7)], 0.5)
                asked.report.add(name, f"LiteVault, {size:,} items of others", took, unit="ms", better="")


def looks(owner: int) -> dict[str, Callable[[], object]]:
    """Each as its caller sees it: the whole stack of Django, but for the HTTP server."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STATIC_ROOT = PROJECT / "items" / "static"  # it only has to be there
    settings.STORAGES |= {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    client: Any = Client(headers={"X-Forwarded-Proto": "https"})
    client.force_login(User.objects.get(pk=owner))

    def page(path: str) -> Callable[[], None]:
        def get() -> None:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.status_code, answer.content[:300])  # noqa: PLR2004  # OK

        return get

    return {
        "claim of 10": claim_and_undo,
        "pending list": page("/api/v1/items/pending"),
        "list": page("/api/v1/items"),
        "list by status": page("/api/v1/items?status=FAILED"),
        "list by tag": page("/api/v1/items?tag=tag3"),
        "list by words": page("/api/v1/items?q=number"),
        "tags": page("/api/v1/tags"),
        "admin list": page("/admin/items/item/"),
        "admin list by status": page("/admin/items/item/?status=FAILED"),
        "admin list by error": page("/admin/items/item/?error_code=LLM_TIMEOUT"),
        "admin search by owner": page("/admin/items/item/?q=owner0"),
    }


def claim_and_undo() -> None:
    from django.db import connection, transaction

    from items.sql import QUEUE  # see above

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(QUEUE["claim"], CLAIMED)
        assert len(cursor.fetchall()) == CLAIMED["limit"]
        transaction.set_rollback(True)


def timed(look: Callable[[], object]) -> float:
    begun_at = time.perf_counter()
    look()
    return (time.perf_counter() - begun_at) * 1000


def more_workers(asked: Run) -> None:
    """Each process has the same number of slots. An item that two of them start would be counted."""
    for _ in range(asked.rounds):
        alone = together(asked, 1)
        for count in (2, 4):
            gain = together(asked, count) / alone
            asked.report.add(
                f"{count} workers against one, at 500 ms", "LiteVault", gain, unit="times", better="higher"
            )


def together(asked: Run, count: int) -> float:
    """Starts per second of so many workers."""
    keys = fresh_keys(CONCURRENCY * count * asked.size(6, 20))
    workers = [working(LITEVAULT, concurrency=CONCURRENCY, seconds=LATENCY_SECONDS) for _ in range(count)]
    running = [worker.__enter__() for worker in workers]
    try:
        with LITEVAULT.capturing(asked.url) as capturer:
            # All of them listen before there is anything to do.
            until(lambda: listeners(asked.url) == count)
            capturer.many(keys)
        until_done(LITEVAULT, asked.url)
    finally:
        for worker in workers:
            worker.__exit__(None, None, None)
    starts = sorted(moment for worker in running for moment in worker.started_at.values())
    duplicates = len(starts) - len(keys) + sum(worker.repeated for worker in running)
    asked.report.add(f"items started twice by {count} workers", "LiteVault", duplicates, unit="")
    return efficiency(starts, CONCURRENCY * count) * CONCURRENCY * count / LATENCY_SECONDS


BENCHMARK = Benchmark("scale", "What grows with the table, and what do more workers bring?", run)
