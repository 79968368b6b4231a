"""Signals that come while a worker of the web server still starts."""

import multiprocessing
import os
import signal
import threading
from types import FrameType

WORKER = "granian-worker"
AGAIN_SECONDS = 0.1


def keep_signals_for_later() -> None:
    """Have each request to stop come again until the server heeds it.

    granian's worker is a fork of its parent, whose handlers only take note for the parent. So what comes before the
    worker has handlers of its own would be lost, and the parent would wait for it in vain and then kill it.
    """
    if multiprocessing.current_process().name == WORKER:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _again)


def _again(number: int, _frame: FrameType | None) -> None:
    later = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
    later.daemon = True
    later.start()
