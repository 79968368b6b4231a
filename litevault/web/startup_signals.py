"""Signals that arrive while a worker of the web server is still starting."""

import multiprocessing
import os
import signal
import threading
from types import FrameType

WORKER = "granian-worker"
RESEND_SECONDS = 0.1


def defer_signals() -> None:
    """Repeat each signal to stop until the server handles it.

    granian forks its workers, which inherit the parent's handlers. A signal that arrives before a worker has installed
    its own would be lost, and the parent would wait in vain and then kill the worker.
    """
    if multiprocessing.current_process().name == WORKER:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _resend)


def _resend(number: int, _frame: FrameType | None) -> None:
    timer = threading.Timer(RESEND_SECONDS, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()
