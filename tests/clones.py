"""The code in a folder of its own, as `git clone` leaves it on a machine where nothing is set up."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postgres.embedded.embedded import PROJECT
from tests.embedded import throwaway_folder
from tests.processes import named
from tests.waiting import until

CODE = ("manage.py", "litevault", "items", "enrichment", "postgres")


@contextmanager
def fresh_clone() -> Iterator[Path]:
    """Its processes must have ended when the block ends."""
    with throwaway_folder() as folder:
        for name in CODE:
            copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
            copy(PROJECT / name, folder / name)
        yield folder
        until(lambda: not named(folder))


def bare_environment() -> dict[str, str]:
    """Ours without settings but the PostgreSQL to use, and not measured: the code of a clone is gone afterwards."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == "LITEVAULT_PG_BIN" or not name.startswith(("LITEVAULT_", "COVERAGE_", "DATABASE_URL"))
    }
