"""The sessions of one user. Each has the hash of the audit trail as its name, because its key is a secret."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from items.audit import AuditAction, record
from litevault.accounts.actors import hash_of_session
from litevault.accounts.models import UserSession
from litevault.accounts.sessions import ENDS_AT

SESSIONS_SHOWN = 50
DEVICE = "_device"
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class OwnSession(NamedTuple):
    """`last_used_at` is exact to a few minutes, and on the last day of a session the beginning of that day."""

    reference: str
    device: str
    began_at: datetime | None
    last_used_at: datetime
    is_current: bool


def device_of(user_agent: str) -> str:
    """Return words such as “Firefox on Linux”."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def sessions_of(user: User, *, current_key: str | None) -> list[OwnSession]:
    """Return the valid sessions, the one used last first."""
    return [_described(row, current_key) for row in _valid(user)]


def end_session(user: User, reference: str) -> bool:
    """Return whether the user had this session."""
    for row in _valid(user):
        if constant_time_compare(hash_of_session(row.session_key), reference):
            with transaction.atomic():
                row.delete()
                record(AuditAction.REVOKE, kind="session", object_id=reference)
            return True
    return False


def end_other_sessions(user: User, *, current_key: str | None) -> int:
    with transaction.atomic():
        number, _ = UserSession.objects.filter(user_id=user.pk).exclude(session_key=current_key).delete()
        if number:
            record(AuditAction.REVOKE, kind="sessions", object_id=user.pk)
    return number


def _valid(user: User) -> Iterator[UserSession]:
    """Leave out those that a new password has ended."""
    rows = UserSession.objects.filter(user_id=user.pk, expire_date__gt=timezone.now()).order_by("-expire_date")
    for row in rows[:SESSIONS_SHOWN]:
        if constant_time_compare(row.get_decoded().get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            yield row


def _described(row: UserSession, current_key: str | None) -> OwnSession:
    data = row.get_decoded()
    ends_at = data.get(ENDS_AT)
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    return OwnSession(
        reference=hash_of_session(row.session_key),
        device=data.get(DEVICE, "Unknown browser"),
        began_at=datetime.fromtimestamp(ends_at - settings.SESSION_COOKIE_AGE, UTC) if ends_at else None,
        last_used_at=row.expire_date - idle,
        is_current=row.session_key == current_key,
    )
