"""The models. Django requires all of them in this module."""

from items.models.attempt import EnrichmentAttempt
from items.models.audit_event import AuditEvent
from items.models.deleted_usage import DeletedUsage
from items.models.enrichment_pause import EnrichmentPause
from items.models.idempotency_key import IdempotencyKey
from items.models.item import Item, ItemQuerySet
from items.models.period import Period

__all__ = [
    "AuditEvent",
    "DeletedUsage",
    "EnrichmentAttempt",
    "EnrichmentPause",
    "IdempotencyKey",
    "Item",
    "ItemQuerySet",
    "Period",
]
