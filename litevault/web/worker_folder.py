"""The folder in which the workers of one web server add up their metrics, and agree on the one that serves them.

The locks end with the process that holds them, however it ends.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client reads it when it is imported."""


class WorkerFolder:
    """All workers hold a shared lock on `workers`, and the one whose turn it is an exclusive lock on `turn`."""

    def __init__(self, port: int) -> None:
        """Create the folder, or empty it if no worker uses it. Raise ImproperlyConfigured if it is not ours."""
        self.path = Path(tempfile.gettempdir()) / f"litevault-metrics-{os.getuid()}-{port}"
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            if self.path.is_symlink() or self.path.stat().st_uid != os.getuid():
                raise PermissionError
            self._turn = (self.path / "turn").open("w")
            self._workers = (self.path / "workers").open("w")
        except OSError:
            raise ImproperlyConfigured(f"LITEVAULT_METRICS_PORT needs the folder {self.path} for itself.") from None
        self._empty_if_unused()
        fcntl.flock(self._workers, fcntl.LOCK_SH)
        os.environ[FOLDER_VARIABLE] = str(self.path)

    def _empty_if_unused(self) -> None:
        """Remove the counts of workers that ended, and of an earlier start."""
        try:
            fcntl.flock(self._workers, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for counts in self.path.glob("*.db"):
            counts.unlink()

    def wait_for_turn(self) -> None:
        """Wait until no other worker serves the port."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
