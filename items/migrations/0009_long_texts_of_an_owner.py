"""An index of long texts, of which a search reads fewer at a time."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.lookups import GreaterThan

BYTES = models.Func("raw_text", function="octet_length", output_field=models.IntegerField())


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("items", "0008_validate_longer_texts")]

    operations = [
        AddIndexConcurrently(
            "item",
            models.Index(
                "owner",
                models.F("created_at").desc(),
                models.F("id").desc(),
                name="items_owner_long",
                condition=models.Q(GreaterThan(BYTES, 16_384)),
            ),
        ),
    ]
