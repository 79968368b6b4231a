"""PostgreSQL refuses to run as root. This finds a way when we are root, as in containers and CI.

It runs as an account that exists already. Where that account may not enter the checkout (a folder of
mode 0700, say), the server keeps one of root's capabilities, to pass through folders and files that are
closed to it. A user namespace would do the same, but the default rules of Docker forbid to make one,
while they grant this capability. No account is added and no folder is opened up.
"""

import os
import pwd
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from postgres.embedded.binaries import ENVIRONMENT, Binaries
from postgres.embedded.errors import PostgresUnavailable
from postgres.embedded.processes import check, dying_with_parent, libc

ACCOUNTS = ("postgres", "nobody")

PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

Prepare = Callable[[], None]


class Identity:
    """As whom the server runs."""

    def __init__(self, account: pwd.struct_passwd | None, *, passes_anywhere: bool = False) -> None:
        self.account = account
        self.passes_anywhere = passes_anywhere

    def preparation(self) -> Prepare:
        """Make the `preexec_fn` that turns a child into this identity and ties it to our life."""
        # SIGINT is PostgreSQL's fast shutdown: connections are cut, the data is safe.
        bind = dying_with_parent(signal.SIGINT)

        def prepare() -> None:  # pragma: no cover  # nothing is measured between fork and exec
            if self.account:
                _become(self.account, passes_anywhere=self.passes_anywhere)
            bind()

        return prepare

    def take_over(self, path: Path) -> None:
        """Make the account the owner of a file, or of a folder with all that is in it."""
        if not self.account or not path.exists() or path.stat().st_uid == self.account.pw_uid:
            return
        for found in [*path.rglob("*"), path]:  # the folder last, so that an interrupted run is repeated
            os.chown(found, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)


def find_identity(folder: Path, binaries: Binaries) -> Identity:
    """Ourselves, unless we are root. Raises PostgresUnavailable."""
    if os.geteuid() != 0:
        return Identity(None)
    account = _unprivileged_account(folder)
    for passes_anywhere in (False, True):
        identity = Identity(account, passes_anywhere=passes_anywhere)
        if _can_work(identity, folder, binaries):
            return identity
    raise PostgresUnavailable(
        f"PostgreSQL does not run as root, and the account {account.pw_name} may not enter {folder} or "
        f"{binaries.folder}. Work as an ordinary user, move the checkout, or set DATABASE_URL."
    )


def _unprivileged_account(folder: Path) -> pwd.struct_passwd:
    """The owner of the folder, so that work done with sudo stays theirs; else one that is made for such ends."""
    owner = folder.stat().st_uid
    for found in pwd.getpwall():
        if found.pw_uid == owner != 0:
            return found
    for name in ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and this machine has neither an account postgres nor nobody. "
        "Work as an ordinary user, or set DATABASE_URL."
    )


def _can_work(identity: Identity, folder: Path, binaries: Binaries) -> bool:
    """Have initdb look for its companions and stop before it makes anything."""
    try:
        subprocess.run(
            ["/bin/sh", "-c", 'cd "$0" && exec "$1" --show --pgdata=.', folder, binaries.initdb],
            preexec_fn=identity.preparation(),  # safe: the keeper has one thread
            env=ENVIRONMENT,
            capture_output=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _become(account: pwd.struct_passwd, *, passes_anywhere: bool) -> None:  # pragma: no cover  # as above
    os.setgroups([])
    os.setgid(account.pw_gid)
    if not passes_anywhere:
        os.setuid(account.pw_uid)
    elif sys.platform == "linux":
        # Without this bit the change of user would take the capability away, and access(2) would not heed it.
        check(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
        os.setuid(account.pw_uid)
        # Effective, permitted and inheritable, each as two words of 32 bits, the low ones first.
        only = 1 << CAP_DAC_OVERRIDE
        header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
        check(libc.capset(header, struct.pack("6I", only, only, only, 0, 0, 0)))
        check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))
    else:
        raise PermissionError
