"""Ports for the servers that tests start."""

import random
import socket
from contextlib import suppress

HOST = "127.0.0.1"
# Below the range from which Linux gives ports to outgoing connections, so that none takes one before its server starts.
LOWEST, HIGHEST = 20_000, 32_000
# Not seeded: processes of tests that run side by side choose other ports.
CHOICE = random.SystemRandom()


def free_port() -> int:
    """Return a port that is free, as is the next one, which `manage.py up` gives to the events process."""
    while True:
        port = CHOICE.randrange(LOWEST, HIGHEST, 2)
        with (
            suppress(OSError),
            socket.create_server(("127.0.0.1", port)),
            socket.create_server(("127.0.0.1", port + 1)),
        ):
            return port
