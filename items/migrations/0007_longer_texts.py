"""Raise the limit of texts, and check it without reading a long text whenever its row changes."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

BYTES = models.Func("raw_text", function="octet_length", output_field=models.IntegerField())


class Migration(migrations.Migration):
    dependencies = [("items", "0006_tag_keys")]

    operations = [
        migrations.RemoveConstraint("item", "items_raw_text_length"),
        # The next migration validates it, because that reads the whole table.
        AddConstraintNotValid(
            "item",
            models.CheckConstraint(
                name="items_raw_text_length",
                condition=models.Q(
                    GreaterThanOrEqual(BYTES, 1),
                    models.Q(
                        LessThanOrEqual(BYTES, 1_000_000),
                        LessThanOrEqual(Length("raw_text"), 1_000_000),
                        _connector="OR",
                    ),
                ),
            ),
        ),
    ]
