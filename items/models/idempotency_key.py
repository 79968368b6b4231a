"""The requests that a client may repeat."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class IdempotencyKey(models.Model):
    """A capture that a client may repeat without creating a second item.

    The response is stored without the captured text, which the client sends again.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    response = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="idempotency_keys_unique"),)

    def __str__(self) -> str:
        return self.key
