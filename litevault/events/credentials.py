"""The credentials of a stream, and whether they are still valid."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from litevault.accounts.models import ApiToken

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A token, a session, or in development neither, and the permission that the stream requires, if any."""

    owner_id: int
    token_id: int | None = None
    session_key: str | None = None
    session_hash: str | None = None
    permission: str | None = None

    @classmethod
    def of(cls, request: Request, *, permission: str | None = None) -> "Credentials":
        """Return those of an authenticated request."""
        owner_id = cast(int, request.user.pk)
        if isinstance(request.auth, ApiToken):
            return cls(owner_id=owner_id, token_id=request.auth.pk, permission=permission)
        if isinstance(request.successful_authenticator, SessionAuthentication):
            return cls(
                owner_id=owner_id,
                session_key=request.session.session_key,
                session_hash=request.session[HASH_SESSION_KEY],
                permission=permission,
            )
        return cls(owner_id=owner_id, permission=permission)

    def match(self, user: User | None) -> bool:
        """Return whether the user exists and, for a session, has the password that the session was opened with."""
        if user is None:
            return False
        return self.session_hash is None or constant_time_compare(self.session_hash, user.get_session_auth_hash())


def valid_credentials(credentials: Collection[Credentials]) -> set[Credentials]:
    """Return those whose user is active and has the permission, and whose token or session is valid."""
    users = User.objects.filter(is_active=True).in_bulk({each.owner_id for each in credentials})
    tokens = _existing(ApiToken.objects.valid(), "pk", {each.token_id for each in credentials})
    sessions = Session.objects.filter(expire_date__gt=timezone.now())
    keys = _existing(sessions, "session_key", {each.session_key for each in credentials})
    permitted = _permitted(credentials)
    return {
        each
        for each in credentials
        if each.match(users.get(each.owner_id))
        and each.token_id in tokens
        and each.session_key in keys
        and each.owner_id in permitted[each.permission]
    }


def _permitted(credentials: Collection[Credentials]) -> dict[str | None, set[int]]:
    """Return by permission the users who have it."""
    wanted: dict[str | None, set[int]] = defaultdict(set)
    for each in credentials:
        wanted[each.permission].add(each.owner_id)
    return {
        permission: owners
        if permission is None
        else set(
            User.objects.with_perm(permission, backend=MODEL_BACKEND).filter(pk__in=owners).values_list("pk", flat=True)
        )
        for permission, owners in wanted.items()
    }


def _existing(rows: QuerySet[Any], column: str, wanted: set[Any]) -> set[Any]:
    """Return the wanted values that are in the column, and None, which stands for a credential that was not used."""
    values = wanted - {None}
    found = rows.filter(**{f"{column}__in": values}).values_list(column, flat=True) if values else ()
    return {None, *found}
