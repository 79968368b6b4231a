"""The attempts at enriching an item."""

from django.db import models
from django.db.models import Q

from items.models.item import Item
from items.models.limits import REASON_MAX_LENGTH
from items.states import Outcome


class EnrichmentAttempt(models.Model):
    """One attempt at enriching one item. `manage.py purge` deletes those of archived items after a time."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    fencing_token = models.BigIntegerField()
    worker = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    error_code = models.CharField(max_length=40, null=True, blank=True)
    error_reason = models.CharField(max_length=REASON_MAX_LENGTH, null=True, blank=True)
    model = models.CharField(max_length=200, null=True, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    # Whether tags of the draft are not the model's.
    tags_filled = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "enrichment_attempts"
        ordering = ("item", "number")
        constraints = (
            models.UniqueConstraint(fields=("item", "number"), name="attempts_number_unique"),
            # One claim is one attempt: writing a verdict twice, after a lost connection, changes nothing.
            models.UniqueConstraint(fields=("item", "fencing_token"), name="attempts_claim_unique"),
            models.CheckConstraint(name="attempts_outcome_known", condition=Q(outcome__in=Outcome.values)),
            models.CheckConstraint(
                name="attempts_failed_has_code",
                condition=~Q(outcome=Outcome.FAILED) | Q(error_code__isnull=False),
            ),
            models.CheckConstraint(
                name="attempts_reason_has_code", condition=Q(error_reason=None) | Q(error_code__isnull=False)
            ),
        )
        indexes = (
            # Tokens and cost of a month are summed from the index alone.
            models.Index(
                fields=("-finished_at",),
                include=("prompt_tokens", "completion_tokens", "cost_usd"),
                name="attempts_newest",
            ),
        )

    def __str__(self) -> str:
        return f"Attempt {self.number}"

    @property
    def duration_ms(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
