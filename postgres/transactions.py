"""The limit after which the server ends a transaction whose client has vanished.

A client that was cut off between two statements keeps its locks until the server's TCP notices, by default after two
hours.
The limit ends with the transaction, so that no other client of a pooler inherits it.
"""

import math

IDLE_SECONDS = 30.0
"""For transactions of servers. Those of commands may wait longer for the next statement."""


def limit_idle(seconds: float) -> bytes:
    """Return a statement, for the beginning of a transaction."""
    return b"SET LOCAL idle_in_transaction_session_timeout = %d" % math.ceil(seconds * 1000)
