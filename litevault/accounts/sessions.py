"""Sessions in the database that end when they are not used, and in any case after SESSION_COOKIE_AGE.

A session in use is renewed at most every RENEWAL, so that most requests write nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db import Error, connection, transaction
from django.utils import timezone

from litevault.accounts.models import UserSession
from postgres.sqlstates import drop_read_only_connection

RENEWAL = timedelta(minutes=5)
ENDS_AT = "_ends_at"


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def create_model_instance(self, data: dict[str, Any]) -> UserSession:
        data.setdefault(ENDS_AT, int(timezone.now().timestamp()) + settings.SESSION_COOKIE_AGE)
        row = cast(UserSession, super().create_model_instance(data))
        row.expire_date = _expiry(data)
        row.user_id = _user_id(data)
        return row

    def _get_session_from_db(self) -> UserSession | None:
        row: UserSession | None = super()._get_session_from_db()  # type: ignore[misc]  # the stubs lack it
        if row and _idle_end() - row.expire_date >= RENEWAL:
            data = self.decode(row.session_data)
            # A session from before ENDS_AT ends when it was meant to.
            if ENDS_AT in data and _expiry(data) - row.expire_date >= RENEWAL:
                _renew(row, _expiry(data), user_id=_user_id(data))
        return row


def _idle_end() -> datetime:
    return timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def _expiry(data: dict[str, Any]) -> datetime:
    return min(_idle_end(), datetime.fromtimestamp(data[ENDS_AT], UTC))


def _user_id(data: dict[str, Any]) -> int | None:
    return int(data[SESSION_KEY]) if SESSION_KEY in data else None


def _renew(row: UserSession, expiry: datetime, *, user_id: int | None) -> None:
    """Update the row unless another request has done so, and not in a read-only database."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")  # a read waits for no standby
            unchanged = UserSession.objects.filter(pk=row.pk, expire_date=row.expire_date)
            unchanged.update(expire_date=expiry, user_id=user_id)
    except Error as error:
        if not drop_read_only_connection(error):
            raise
