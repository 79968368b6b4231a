"""Validate the constraints of 0019, which reads the table without blocking writes.

If a row violates one of them, set its `former_draft`, `discarded_from` and `redrafted_from` to NULL, and migrate again.
"""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0019_checks_of_restores")]

    operations = [
        ValidateConstraint("item", "items_restore_has_columns"),
        ValidateConstraint("item", "items_former_draft_form"),
    ]
