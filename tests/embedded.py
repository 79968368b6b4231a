"""The PostgreSQL of the tests: the server of DATABASE_URL, else an embedded one that is thrown away afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from postgres.embedded.embedded import running_postgres


@contextmanager
def postgres_for_tests() -> Iterator[None]:
    """Point Django at a server for the block. The data of `make run` are never touched."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    from litevault.settings.declaration import NAMES_OF_DJANGO, database_config  # it reads the environment

    with throwaway_folder() as folder, running_postgres(folder / "postgres", fsync=False) as url:
        os.environ["DATABASE_URL"] = url
        config = database_config(url)
        settings.DATABASES["default"].update({name: config[name] for name in NAMES_OF_DJANGO})
        yield
        del os.environ["DATABASE_URL"]


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """A folder that every account may enter: as root, the server runs as another one."""
    folder = Path(tempfile.mkdtemp(prefix="litevault-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
