"""API tokens, sessions, and the buckets of the throttles."""

import hashlib
import secrets
from datetime import datetime, timedelta
from importlib import import_module
from typing import ClassVar, Self, cast

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from items.audit import attributed

TOKEN_PREFIX = "lv_"  # noqa: S105  # lets secret scanners find leaked tokens
TOKEN_BYTES = 32
TOKEN_NAME_MAX_LENGTH = 100
LONGEST_TOKEN_DAYS = 3650


def digest_of(token: str) -> str:
    """Hash a token once with SHA-256, which is enough for 256 random bits and allows a lookup by index."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def default_expiry() -> datetime | None:
    return timezone.now() + timedelta(days=settings.TOKEN_DAYS) if settings.TOKEN_DAYS else None


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self) -> Self:
        """Return the tokens that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)

    def revoke(self) -> int:
        """Revoke those that are not revoked yet, and return their number."""
        with attributed():
            return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class ApiTokenManager(models.Manager.from_queryset(ApiTokenQuerySet)):  # type: ignore[misc]  # made at run time
    def issue(self, *, user: object, name: str, expires_at: datetime | None = None) -> tuple["ApiToken", str]:
        """Create a token and return it with its secret, which is not stored. It ends after TOKEN_DAYS by default."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        hint = secret[: len(TOKEN_PREFIX) + 4]
        ends_at = expires_at or default_expiry()
        with attributed():
            token = self.create(user=user, name=name, digest=digest_of(secret), hint=hint, expires_at=ends_at)
        return token, secret


class ApiToken(models.Model):
    """A named, revocable token of one user for the API. Only its digest is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=TOKEN_NAME_MAX_LENGTH)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=16, editable=False, help_text="The first characters, to tell tokens apart.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[ApiTokenManager] = ApiTokenManager()

    is_admitted: bool | None = None
    """Whether the throttle has admitted the request that the token was sent with. None: it was not asked."""

    class Meta:
        db_table = "api_tokens"
        ordering = ("-created_at",)
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "Revoked"
        return "Expired" if self.expires_at and self.expires_at <= timezone.now() else "Valid"


class UserSession(AbstractBaseSession):
    """Django's table of sessions, with the user of each, which is unknown for one from before a login."""

    user_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "django_session"
        managed = False
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        return cast(type[SessionBase], import_module(settings.SESSION_ENGINE).SessionStore)


class Throttle(models.Model):
    """How much of the allowance one user has spent: a bucket that drains with time.

    The table is unlogged: counting does not wait for the disk, and a crash loses at most a minute.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    drained_at = models.DateTimeField(help_text="When the bucket is empty again. Every request puts it off.")

    class Meta:
        db_table = "api_throttles"

    def __str__(self) -> str:
        return f"Throttle of user {self.user_id}"


class LoginThrottle(models.Model):
    """How often logins failed for one name or address: a bucket as above, also unlogged."""

    key = models.CharField(max_length=64, primary_key=True, help_text="A keyed hash: neither name nor address.")
    drained_at = models.DateTimeField(help_text="When the bucket is empty again. Every login puts it off.")

    class Meta:
        db_table = "login_throttles"

    def __str__(self) -> str:
        return f"Throttle of logins {self.key[:8]}…"
