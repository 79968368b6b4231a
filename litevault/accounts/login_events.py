"""Logins in the audit trail. Django offers no other place than its signals."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver

from items.audit import AuditAction, record


@receiver(user_logged_in)
def record_login(*, user: User, **_signal: Any) -> None:
    record(AuditAction.LOGIN, kind="user", object_id=user.pk)


@receiver(user_login_failed)
def record_failed_login(*, credentials: Mapping[str, Any], **_signal: Any) -> None:
    """Record the id of a user, but not a name that was typed: it may be a password in the wrong field."""
    user_ids = User.objects.filter(username=credentials.get("username", "")).values_list("pk", flat=True)
    record(AuditAction.LOGIN_FAILED, kind="user", object_id=user_ids.first() or "")
