"""What an hour or a day that is over came to."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Period(models.Model):
    """Worked out once, by whichever web process is asked first, for the first page of the admin."""

    name = models.CharField(max_length=16, primary_key=True, help_text="Its length in hours and its start.")
    start = models.DateTimeField()
    said = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        db_table = "overview_periods"

    def __str__(self) -> str:
        return self.name
