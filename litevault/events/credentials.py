"""What somebody came in with, and whether it is still good."""

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
    """A token, or a session, or in development neither."""

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


def still_good(held: Collection[Credentials]) -> set[Credentials]:
    """Those whose user is active, and whose token or session still opens the door."""
    users = _known(User.objects.filter(is_active=True), "pk", {each.owner_id for each in held})
    tokens = _known(ApiToken.objects.valid(), "pk", {each.token_id for each in held})
    sessions = Session.objects.filter(expire_date__gt=timezone.now())
    keys = _known(sessions, "session_key", {each.session_key for each in held})
    return {each for each in held if each.owner_id in users and each.token_id in tokens and each.session_key in keys}


def _known(rows: QuerySet[Any], column: str, wanted: set[Any]) -> set[Any]:
    """Those of the wanted values that are in the column; and None, since what was not used need not be good."""
    values = wanted - {None}
    found = rows.filter(**{f"{column}__in": values}).values_list(column, flat=True) if values else ()
    return {None, *found}
