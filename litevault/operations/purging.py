"""The kinds of rows that `manage.py purge` deletes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from items import deletion
from items.audit import attributed
from items.models import AuditEvent, IdempotencyKey
from litevault.accounts.models import ApiToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Rows that are deleted at a certain age. `delete` yields the number of rows after each short transaction."""

    name: str
    count: Callable[[datetime], int]
    delete: Callable[[datetime], Iterator[int]]


def _in_batches(old: Callable[[datetime], QuerySet[Any]]) -> Callable[[datetime], Iterator[int]]:
    """Delete the rows that no other session has locked."""

    def delete(before: datetime) -> Iterator[int]:
        ids = None
        while ids is None or len(ids) == deletion.BATCH_SIZE:
            with attributed():
                rows = old(before).select_for_update(skip_locked=True)
                ids = list(rows.values_list("pk", flat=True)[: deletion.BATCH_SIZE])
                rows.model.objects.filter(pk__in=ids).delete()
            yield len(ids)

    return delete


def _old_tokens(before: datetime) -> Any:
    return ApiToken.objects.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before)).order_by()


def _old_sessions(before: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=before)


def _old_keys(before: datetime) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__lt=before)


def _old_events(before: datetime) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(at__lt=before).order_by("at")


DISCARDED = Kind(
    name="discarded items",
    count=lambda before: deletion.count_discarded(before=before),
    delete=lambda before: (deleted.items for deleted in deletion.delete_discarded(before=before)),
)
ATTEMPTS = Kind(
    name="attempts of archived items",
    count=lambda before: deletion.count_attempts(before=before),
    delete=lambda before: (deleted.attempts for deleted in deletion.delete_attempts(before=before)),
)
TOKENS = Kind(
    name="revoked or expired tokens", count=lambda before: _old_tokens(before).count(), delete=_in_batches(_old_tokens)
)
SESSIONS = Kind(
    name="expired sessions", count=lambda before: _old_sessions(before).count(), delete=_in_batches(_old_sessions)
)
KEYS = Kind(
    name="expired idempotency keys", count=lambda before: _old_keys(before).count(), delete=_in_batches(_old_keys)
)
AUDIT = Kind(name="audit events", count=lambda before: _old_events(before).count(), delete=_in_batches(_old_events))
