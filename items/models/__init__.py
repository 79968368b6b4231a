"""The models. Django requires all of them in this module."""

from items.models.attempt import EnrichmentAttempt
from items.models.audit_event import AuditEvent
from items.models.budget_pause import BudgetPause
from items.models.deleted_usage import DeletedUsage
from items.models.idempotency_key import IdempotencyKey
from items.models.item import Item, ItemQuerySet
from items.models.period import Period

__all__ = [
    "AuditEvent",
    "BudgetPause",
    "DeletedUsage",
    "EnrichmentAttempt",
    "IdempotencyKey",
    "Item",
    "ItemQuerySet",
    "Period",
]
