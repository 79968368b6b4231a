"""The actor of a change, for the triggers in sql/audit.sql, which record changes in the same transaction."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import TextChoices

SET_ACTOR = "SELECT set_config('litevault.actor', %s, true)"
NAME_MAX_LENGTH = 150
REQUEST_ID_MAX_LENGTH = 128
REQUEST_ID_FORM = rf"[A-Za-z0-9._-]{{1,{REQUEST_ID_MAX_LENGTH}}}"


class AuditAction(TextChoices):
    """What the audit trail records."""

    EDIT = "edit", "Edit"
    CONFIRM = "confirm", "Confirm"
    RETRY = "retry", "Retry"
    REDRAFT = "redraft", "Draft again"
    DISCARD = "discard", "Discard"
    RESTORE = "restore", "Restore"
    DELETE = "delete", "Delete"
    ISSUE = "issue", "Issue"
    REVOKE = "revoke", "Revoke"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    LOGIN = "login", "Login"
    LOGIN_FAILED = "login_failed", "Failed login"


class Via(TextChoices):
    """How the actor of a change came in."""

    TOKEN = "token", "Token"
    SESSION = "session", "Session"
    ADMIN = "admin", "Admin"
    DEVELOPMENT = "development", "Development login"
    COMMAND = "command", "Command"
    DATABASE = "database", "Plain SQL"


class Actor(NamedTuple):
    """`credential` is the id of a token, a keyed hash of a session's key, or the name of a command.

    `traceparent` is the W3C trace context of the request, if traces are on.
    """

    user_id: int | None
    name: str
    via: Via
    credential: str = ""
    request_id: str = ""
    traceparent: str = ""


def _operator() -> Actor:
    """Return the account of the operating system that runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = f"uid {os.getuid()}"
    return Actor(None, _printable(name)[:NAME_MAX_LENGTH], Via.COMMAND, credential=_printable(*sys.argv[1:2])[:64])


def _printable(name: str = "") -> str:
    """Replace the surrogates of bytes that are not UTF-8, which PostgreSQL refuses."""
    return name.encode(errors="replace").decode()


_find_actor: ContextVar[Callable[[], Actor]] = ContextVar("find_actor", default=_operator)


def current_actor() -> Actor:
    return _find_actor.get()()


@contextmanager
def acting(find_actor: Callable[[], Actor]) -> Iterator[None]:
    """Attribute the changes of the block. The actor is looked up only when something changes."""
    token = _find_actor.set(find_actor)
    try:
        yield
    finally:
        _find_actor.reset(token)


@contextmanager
def attributed() -> Iterator[None]:
    """Open a transaction whose changes are recorded as the actor's.

    Without it they are recorded, too, as those of the database role. The setting ends with the transaction, so that it
    works behind PgBouncer.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SET_ACTOR, [json.dumps(current_actor()._asdict())])
        yield


def record(action: AuditAction, *, kind: str, object_id: object) -> None:
    """Record what no trigger sees."""
    with attributed(), connection.cursor() as cursor:
        cursor.execute("SELECT audit_record(%s, %s, %s)", [action, kind, str(object_id)])
