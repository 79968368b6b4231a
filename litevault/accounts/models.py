"""Who may call the API."""

import hashlib
import secrets
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

TOKEN_PREFIX = "lv_"  # noqa: S105  # what every token starts with, so that secret scanners can find leaked ones
TOKEN_BYTES = 32
TOKEN_NAME_MAX_LENGTH = 100


def digest_of(token: str) -> str:
    """A token has 256 random bits: one round of SHA-256 is enough, and can be looked up by index."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self) -> Self:
        """Those that are neither revoked nor past their time."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)

    def revoke(self) -> int:
        """Revoke those that are not yet; say how many that were."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class ApiTokenManager(models.Manager.from_queryset(ApiTokenQuerySet)):  # type: ignore[misc]  # made at run time
    def issue(self, *, user: object, name: str, expires_at: datetime | None = None) -> tuple["ApiToken", str]:
        """Make a token and return it with its secret, which is not stored and cannot be shown again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        token = self.create(
            user=user, name=name, digest=digest_of(secret), hint=secret[: len(TOKEN_PREFIX) + 4], expires_at=expires_at
        )
        return token, secret


class ApiToken(models.Model):
    """A named, revocable key to the API for one user. Only its digest is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=TOKEN_NAME_MAX_LENGTH)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=16, editable=False, help_text="The first characters, to tell tokens apart.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[ApiTokenManager] = ApiTokenManager()

    class Meta:
        db_table = "api_tokens"
        ordering = ("-created_at",)
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def state(self) -> str:
        """One word, for lists."""
        if self.revoked_at:
            return "Revoked"
        return "Expired" if self.expires_at and self.expires_at <= timezone.now() else "Valid"

    def revoke(self) -> None:
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])


class Throttle(models.Model):
    """How much of the allowance one user has spent: a bucket that drains with time.

    The table is not logged: no request waits for the disk to be counted, and a crash forgets no more than a minute.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    drained_at = models.DateTimeField(help_text="When the bucket is empty again. Every request puts it off.")

    class Meta:
        db_table = "api_throttles"

    def __str__(self) -> str:
        return f"Throttle of user {self.user_id}"


class LoginThrottle(models.Model):
    """How often logins failed for one name, or from one address: a bucket as above, in a table that is not logged."""

    key = models.CharField(max_length=64, primary_key=True, help_text="A keyed hash: neither name nor address.")
    drained_at = models.DateTimeField(help_text="When the bucket is empty again. Every login puts it off.")

    class Meta:
        db_table = "login_throttles"

    def __str__(self) -> str:
        return f"Throttle of logins {self.key[:8]}…"
