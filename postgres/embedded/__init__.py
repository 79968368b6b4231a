"""The embedded PostgreSQL server, for development and tests.

::

    manage.py shell ──┐ each holds users.lock, shared,
    manage.py up ─────┤ for as long as it lives
    manage.py … ──────┘
                          keeper ── waits for users.lock, exclusive, until the last user has gone
                             └── postgres ── ends with its keeper

The first user starts a keeper in a session of its own, and the keeper stops the server after the last user.
The kernel releases the locks when a process ends in any way, `kill -9` included, so nothing stays locked
or running.

==============  ==================================  ===========================================
in var/postgres held by                             means
==============  ==================================  ===========================================
users.lock      users (shared); a stopping keeper   the server is in use
start.lock      the user that finds or starts it    only one may start it
keeper.lock     the keeper                          the address in `url` is valid
server.lock     the keeper and postgres' processes  a server uses the data
==============  ==================================  ===========================================
"""
