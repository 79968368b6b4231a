"""The credentials of a stream, and whether they are still valid."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from litevault.accounts.models import ApiToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A token, a session, or in development neither."""

    owner_id: int
    token_id: int | None = None
    session_key: str | None = None

    @classmethod
    def of(cls, request: Request) -> "Credentials":
        """Return those of an authenticated request."""
        owner_id = cast(int, request.user.pk)
        if isinstance(request.auth, ApiToken):
            return cls(owner_id=owner_id, token_id=request.auth.pk)
        if isinstance(request.successful_authenticator, SessionAuthentication):
            return cls(owner_id=owner_id, session_key=request.session.session_key)
        return cls(owner_id=owner_id)


def valid_credentials(credentials: Collection[Credentials]) -> set[Credentials]:
    """Return those whose user is active and whose token or session is valid."""
    users = _existing(User.objects.filter(is_active=True), "pk", {each.owner_id for each in credentials})
    tokens = _existing(ApiToken.objects.valid(), "pk", {each.token_id for each in credentials})
    sessions = Session.objects.filter(expire_date__gt=timezone.now())
    keys = _existing(sessions, "session_key", {each.session_key for each in credentials})
    return {
        each for each in credentials if each.owner_id in users and each.token_id in tokens and each.session_key in keys
    }


def _existing(rows: QuerySet[Any], column: str, wanted: set[Any]) -> set[Any]:
    """Return the wanted values that are in the column, and None, which stands for a credential that was not used."""
    values = wanted - {None}
    found = rows.filter(**{f"{column}__in": values}).values_list(column, flat=True) if values else ()
    return {None, *found}
