"""Validate the constraints of 0021, which reads the table without blocking writes."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0021_request_ids")]

    operations = [
        ValidateConstraint("item", "items_request_id_form"),
        ValidateConstraint("item", "items_traceparent_form"),
    ]
