"""The same response for a repeated request."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError

from items.models import IdempotencyKey

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
KEY_MAX_LENGTH = 255
DELETED_AT_ONCE = 20


class StillRunning(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "DUPLICATE_REQUEST"
    default_detail = "A request with this Idempotency-Key is still running. Send it again in a moment."


class KeyReused(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "IDEMPOTENCY_KEY_REUSED"
    default_detail = "This Idempotency-Key was used with another body."


def key_from(headers: Mapping[str, str]) -> str | None:
    """Return the key of the client, if there is one. Raises ValidationError."""
    key = headers.get(HEADER)
    if key is None:
        return None
    if not (1 <= len(key) <= KEY_MAX_LENGTH and key.isascii() and key.isprintable()):
        sentence = f"must be 1 to {KEY_MAX_LENGTH} printable ASCII characters."
        raise ValidationError({HEADER: [ErrorDetail(sentence, code="invalid")]})
    return key


def fingerprint_of(body: Mapping[str, object]) -> str:
    """Return a hash of the body, keyed with our secret, so that a short text cannot be guessed from it."""
    return salted_hmac("items.api.idempotency", json.dumps(body, sort_keys=True), algorithm="sha256").hexdigest()


def respond_once(
    owner: User, key: str, *, fingerprint: str, respond: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Return the stored response, or create and store it, and whether it was stored before.

    `respond` runs in the transaction that stores its result.
    Raises StillRunning and KeyReused.
    """
    with transaction.atomic():
        if not _lock(owner, key):
            raise StillRunning
        stored = IdempotencyKey.objects.filter(owner=owner, key=key, created_at__gt=Now() - KEPT_FOR).first()
        if stored:
            if not constant_time_compare(stored.fingerprint, fingerprint):
                raise KeyReused
            return stored.response, True
        response = respond()
        IdempotencyKey.objects.update_or_create(
            owner=owner,
            key=key,
            defaults={"fingerprint": fingerprint, "response": response, "created_at": Now()},
        )
        _delete_old_keys()
        return response, False


def _lock(owner: User, key: str) -> bool:
    """Lock the key until the transaction ends. Return False if another request has locked it."""
    digest = hashlib.sha256(f"{owner.pk}:{key}".encode()).digest()
    number = int.from_bytes(digest[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (is_locked,) = cursor.fetchone()
    return bool(is_locked)


def _delete_old_keys() -> None:
    """Delete a few keys with every new one, so that no other clean-up is needed."""
    old = (
        IdempotencyKey.objects.filter(created_at__lte=Now() - KEPT_FOR)
        .order_by("created_at")
        .select_for_update(skip_locked=True)
        .values_list("pk", flat=True)
    )
    IdempotencyKey.objects.filter(pk__in=list(old[:DELETED_AT_ONCE])).delete()
