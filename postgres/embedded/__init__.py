"""The embedded PostgreSQL of a checkout, for whoever has no server of their own.

::

    manage.py shell ──┐ each holds users.lock, shared,
    manage.py up ─────┤ for as long as it lives
    manage.py … ──────┘
                          keeper ── waits for users.lock, exclusive: it gets it when nobody is left
                             └── postgres ── ends with its keeper

No user owns the server: the first one starts a keeper, which has a session of its own, and the keeper
stops the server after the last one. The locks belong to the kernel, so whatever way a process ends,
`kill -9` included, nothing is left running and nothing is left locked.

==============  ==================================  ===========================================
in var/postgres held by                             says
==============  ==================================  ===========================================
users.lock      users (shared); a keeper that stops somebody needs the server
start.lock      the user who looks for the server   only one may start it
keeper.lock     the keeper                          the address in `url` is true
server.lock     the keeper, postgres and its own    a server works on the data
==============  ==================================  ===========================================
"""
