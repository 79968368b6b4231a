"""Store with an item the id of the request that captured or retried it, and its trace. 0023 lets the triggers do so, too."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("items", "0020_validate_checks_of_restores")]

    operations = [
        migrations.AddField("item", "request_id", models.CharField(editable=False, max_length=128, null=True)),
        migrations.AddField("item", "traceparent", models.CharField(editable=False, max_length=55, null=True)),
        # The next migration validates them, because that reads the whole table.
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_request_id_form",
                condition=models.Q(
                    ("request_id", None), ("request_id__regex", "^[A-Za-z0-9._-]{1,128}$"), _connector="OR"
                ),
            ),
        ),
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_traceparent_form",
                condition=models.Q(
                    ("traceparent", None),
                    ("traceparent__regex", "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
                    _connector="OR",
                ),
            ),
        ),
    ]
