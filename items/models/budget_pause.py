"""The owners whose daily budget is spent."""

from django.db import models


class BudgetPause(models.Model):
    """No item of the owner, or of any owner if it is 0, is claimed before `until`. items.budget writes the rows."""

    # Not a foreign key: the owner may be deleted while the row is written.
    owner_id = models.BigIntegerField(primary_key=True)
    until = models.DateTimeField()

    class Meta:
        db_table = "budget_pauses"

    def __str__(self) -> str:
        return f"Owner {self.owner_id or 'all'} until {self.until}"
