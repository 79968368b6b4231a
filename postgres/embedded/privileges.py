"""Runs PostgreSQL, which refuses root, as another account when we are root, as in containers and CI.

The account exists already. If it may not enter the checkout, such as a folder of mode 0700, the server keeps one of
root's capabilities, CAP_DAC_OVERRIDE. A user namespace would also work, but Docker's default rules forbid it, while
they grant this capability. No account is created and no permissions of files are changed.
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
    """The account that the server runs as, or our own."""

    def __init__(self, account: pwd.struct_passwd | None, *, bypasses_permissions: bool = False) -> None:
        self.account = account
        self.bypasses_permissions = bypasses_permissions

    def preexec_fn(self) -> Prepare:
        """Return a preexec_fn that switches a child to this account and ends it when we end."""
        # SIGINT is PostgreSQL's fast shutdown.
        bind = dying_with_parent(signal.SIGINT)

        def prepare() -> None:  # pragma: no cover  # nothing is measured between fork and exec
            if self.account:
                _switch_user(self.account, bypasses_permissions=self.bypasses_permissions)
            bind()

        return prepare

    def change_owner(self, path: Path) -> None:
        """Give a file, or a folder with its contents, to the account."""
        if not self.account or not path.exists() or path.stat().st_uid == self.account.pw_uid:
            return
        for found in [*path.rglob("*"), path]:  # the folder last, so that an interrupted change is repeated
            os.chown(found, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)


def find_identity(folder: Path, binaries: Binaries) -> Identity:
    """Return our own identity, or as root that of another account. Raises PostgresUnavailable."""
    if os.geteuid() != 0:
        return Identity(None)
    account = _unprivileged_account(folder)
    for bypasses_permissions in (False, True):
        identity = Identity(account, bypasses_permissions=bypasses_permissions)
        if _can_run(identity, folder, binaries):
            return identity
    raise PostgresUnavailable(
        f"PostgreSQL does not run as root, and the account {account.pw_name} may not enter {folder} or "
        f"{binaries.folder}. Use an ordinary user, move the checkout, or set DATABASE_URL."
    )


def _unprivileged_account(folder: Path) -> pwd.struct_passwd:
    """Return the owner of the folder, so that sudo keeps the owner, or else a service account."""
    owner = folder.stat().st_uid
    for found in pwd.getpwall():
        if found.pw_uid == owner != 0:
            return found
    for name in ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and this machine has no account postgres or nobody. "
        "Use an ordinary user, or set DATABASE_URL."
    )


def _can_run(identity: Identity, folder: Path, binaries: Binaries) -> bool:
    """Run initdb --show, which finds its programs and creates nothing."""
    try:
        subprocess.run(
            ["/bin/sh", "-c", 'cd "$0" && exec "$1" --show --pgdata=.', folder, binaries.initdb],
            preexec_fn=identity.preexec_fn(),  # safe: the keeper has one thread
            env=ENVIRONMENT,
            capture_output=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _switch_user(account: pwd.struct_passwd, *, bypasses_permissions: bool) -> None:  # pragma: no cover  # as above
    os.setgroups([])
    os.setgid(account.pw_gid)
    if not bypasses_permissions:
        os.setuid(account.pw_uid)
    elif sys.platform == "linux":
        # Without this bit setuid would drop the capability, and access(2) would ignore it.
        check(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
        os.setuid(account.pw_uid)
        # Effective, permitted and inheritable, each as two words of 32 bits, the low ones first.
        only = 1 << CAP_DAC_OVERRIDE
        header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
        check(libc.capset(header, struct.pack("6I", only, only, only, 0, 0, 0)))
        check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))
    else:
        raise PermissionError
