"""Logins in the audit trail, and the device of a session. Django offers no other place than its signals."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from items.audit import AuditAction, record
from litevault.accounts.own_sessions import DEVICE, device_of


@receiver(user_logged_in)
def record_login(*, user: User, **_signal: Any) -> None:
    record(AuditAction.LOGIN, kind="user", object_id=user.pk)


@receiver(user_logged_in)
def remember_device(*, request: HttpRequest, **_signal: Any) -> None:
    """Let the list of sessions name the browser, but keep no address and no version."""
    request.session[DEVICE] = device_of(request.headers.get("User-Agent", ""))


@receiver(user_login_failed)
def record_failed_login(*, credentials: Mapping[str, Any], **_signal: Any) -> None:
    """Record the id of a user, but not a name that was typed: it may be a password in the wrong field."""
    user_ids = User.objects.filter(username=credentials.get("username", "")).values_list("pk", flat=True)
    record(AuditAction.LOGIN_FAILED, kind="user", object_id=user_ids.first() or "")
