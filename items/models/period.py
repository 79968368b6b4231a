"""Totals of past hours and days."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Period(models.Model):
    """The totals of one hour or day, computed once for the dashboard of the admin."""

    name = models.CharField(max_length=16, primary_key=True, help_text="Its length in hours and its start.")
    start = models.DateTimeField()
    totals = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        db_table = "overview_periods"

    def __str__(self) -> str:
        return self.name
