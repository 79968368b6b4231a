"""The tokens and cost of attempts that were deleted."""

from django.db import models


class DeletedUsage(models.Model):
    """The sums of one hour, so that the totals in the admin stay right when attempts are deleted."""

    start = models.DateTimeField(primary_key=True, help_text="The hour in which the attempts finished.")
    prompt_tokens = models.BigIntegerField(null=True)
    completion_tokens = models.BigIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=20, decimal_places=8, null=True)

    class Meta:
        db_table = "deleted_usage"

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H}:00"
