"""Let the database's clock set created_at and updated_at. The defaults in the database stay as they are."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("items", "0004_validate_foreign_keys")]

    operations = [
        migrations.AlterField("item", "created_at", models.DateTimeField(db_default=Now())),
        migrations.AlterField("item", "updated_at", models.DateTimeField(db_default=Now())),
    ]
