"""Validate the constraint of 0006, which reads the table without blocking writes."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0007_longer_texts")]

    operations = [ValidateConstraint("item", "items_raw_text_length")]
