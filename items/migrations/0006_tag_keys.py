"""Add the keys by which tags are compared. Items of before have none until they are saved again."""

from django.db import migrations, models

from items.models.tag_keys import TagKeysField


class Migration(migrations.Migration):
    dependencies = [("items", "0005_times_by_the_database")]

    operations = [
        migrations.AddField("item", "tag_keys", TagKeysField(models.TextField(), editable=False, null=True)),
    ]
