"""The audit trail: who changed what. Nothing in it is a text of a user."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from items.audit import REQUEST_ID_MAX_LENGTH, AuditAction, Via


class AuditEvent(models.Model):
    """One change of one object, written by the function `audit_record` in sql/audit.sql.

    It refers to users, tokens and items by id, without foreign keys, and outlives them.
    """

    at = models.DateTimeField(db_default=Now())
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    via = models.CharField(max_length=12, choices=Via)
    credential = models.CharField(
        max_length=64, help_text="The id of the token, a hash of the session's key, or the command."
    )
    request_id = models.CharField(max_length=REQUEST_ID_MAX_LENGTH)
    action = models.CharField(max_length=12, choices=AuditAction)
    object_kind = models.CharField(max_length=8)
    object_id = models.CharField(max_length=36)

    class Meta:
        db_table = "audit_events"
        ordering: ClassVar = ("-id",)
        default_permissions = ("view",)
        indexes: ClassVar = (
            models.Index(fields=("at",), name="audit_events_at"),
            models.Index(fields=("object_id", "id"), name="audit_events_object"),
            models.Index(fields=("actor_name", "id"), name="audit_events_actor"),
            models.Index(fields=("action", "id"), name="audit_events_action"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_kind} {self.object_id}"
