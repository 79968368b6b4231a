"""The owners whose items are not enriched for now."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class PauseReason(models.TextChoices):
    BUDGET = "BUDGET", "The budget of the day is spent"
    STAFF = "STAFF", "Paused by staff"


class EnrichmentPause(models.Model):
    """No item of the owner, or of any owner if it is 0, is claimed before `until`, or while the row exists.

    Workers write the rows of BUDGET (items.budget), staff those of STAFF (items.pauses).
    """

    pk = models.CompositePrimaryKey("owner_id", "reason")
    # Not a foreign key: the owner may be deleted while the row is written.
    owner_id = models.BigIntegerField()
    # Without a CHECK: during an upgrade, the newer version may already write a reason of its own.
    reason = models.CharField(max_length=10, choices=PauseReason)
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True)

    class Meta:
        db_table = "enrichment_pauses"
        default_permissions = ()
        permissions: ClassVar = [("pause_enrichment", "Can pause enrichment")]

    def __str__(self) -> str:
        return f"{self.reason} pause of owner {self.owner_id or 'all'}"
