"""Authentication by token, or in development by name. Sessions are REST framework's own."""

import re
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import Error, connection, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from litevault.accounts.models import TOKEN_PREFIX, ApiToken, digest_of
from litevault.accounts.throttling import ADMIT, UserThrottle, seconds_of, weight_of
from postgres.sqlstates import drop_read_only_connection

CODE = "UNAUTHORIZED"
SCHEME = "bearer"
CHALLENGE = 'Bearer realm="litevault"'
LAST_USED_PRECISION = timedelta(minutes=1)
DEVELOPMENT_HEADER = "X-Dev-User-Id"
FORWARDED = re.compile(r"HTTP_(X_FORWARDED_\w+|FORWARDED|VIA|X_REAL_IP)")
DEVELOPMENT_NAME = re.compile(r"[A-Za-z0-9_.@+-]{1,150}")

TOKEN_FIELDS = [field.attname for field in ApiToken._meta.concrete_fields]
USER_FIELDS = [field.attname for field in User._meta.concrete_fields]

FIND = f"""
    SELECT {", ".join(f"token.{name}" for name in TOKEN_FIELDS)}, {", ".join(f"owner.{name}" for name in USER_FIELDS)}
    FROM api_tokens token JOIN auth_user owner ON owner.id = token.user_id
    WHERE token.digest = %(digest)s AND token.revoked_at IS NULL
      AND (token.expires_at IS NULL OR token.expires_at > now()) AND owner.is_active
"""  # noqa: S608  # the names of columns
# For almost every request, instead of two statements.
FIND_AND_ADMIT = f"""
    WITH found AS MATERIALIZED ({FIND}),
         admitted AS ({ADMIT.format(user_id="found.user_id", source=", found")} RETURNING 1)
    SELECT *, EXISTS (SELECT FROM admitted) FROM found
"""  # noqa: S608  # as above


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer lv_…`"""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != SCHEME:
            return None
        secret = secret.strip()
        token = _find(request, digest_of(secret)) if secret.startswith(TOKEN_PREFIX) else None
        if token is None:
            raise AuthenticationFailed("The token is unknown, revoked or expired.", code=CODE)
        _record_use(token)
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        return CHALLENGE


def _find(request: Request, digest: str) -> ApiToken | None:
    """Return the token, which the throttle of the view has admitted or not."""
    row = _read(request, digest)
    if row is None:
        return None
    users_begin, users_end = len(TOKEN_FIELDS), len(TOKEN_FIELDS) + len(USER_FIELDS)
    token = ApiToken.from_db(connection.alias, TOKEN_FIELDS, row[:users_begin])
    token.user = User.from_db(connection.alias, USER_FIELDS, row[users_begin:users_end])
    token.is_admitted = next(iter(row[users_end:]), None)
    return token


def _read(request: Request, digest: str) -> tuple[Any, ...] | None:
    view = (request.parser_context or {}).get("view")
    if settings.THROTTLE_PER_MINUTE and UserThrottle in getattr(view, "throttle_classes", ()):
        try:
            return _fetch(FIND_AND_ADMIT, {"digest": digest, "each": seconds_of(weight_of(request, view))})
        except Error as error:
            # A read-only database counts nothing.
            if not drop_read_only_connection(error):
                raise
            found = _fetch(FIND, {"digest": digest})
            return found and (*found, True)
    return _fetch(FIND, {"digest": digest})


def _fetch(statement: str, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _record_use(token: ApiToken) -> None:
    """Update last_used_at at most once a minute, to save a write at every request, and not in a read-only database."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - LAST_USED_PRECISION:
        is_stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_PRECISION)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")  # a read waits for no standby
                ApiToken.objects.filter(is_stale, pk=token.pk).update(last_used_at=now)
        except Error as error:
            if not drop_read_only_connection(error):
                raise


def _is_direct_and_local(request: Request) -> bool:
    """Return False for a request through a proxy, whose clients may be anywhere."""
    with suppress(ValueError):
        is_local = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
        return is_local and not any(map(FORWARDED.fullmatch, request.META))
    return False


class DevelopmentAuthentication(BaseAuthentication):
    """`X-Dev-User-Id: any-name`, from this machine to the processes of `manage.py up` only.

    The user is created on first use.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        name = request.headers.get(DEVELOPMENT_HEADER)
        if name is None or not (settings.DEVELOPMENT_USERS and _is_direct_and_local(request)):
            return None
        if not DEVELOPMENT_NAME.fullmatch(name):
            sentence = f"{DEVELOPMENT_HEADER} must be 1 to 150 letters, digits or _.@+- characters."
            raise AuthenticationFailed(sentence, code=CODE)
        user, _ = User.objects.get_or_create(username=name, defaults={"password": make_password(None)})
        if not user.is_active:
            raise AuthenticationFailed("This user is not active.", code=CODE)
        return user, None
