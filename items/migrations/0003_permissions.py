from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("items", "0002_triggers"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="item",
            options={
                "permissions": (
                    ("retry_item", "Can retry item"),
                    ("confirm_item", "Can confirm item"),
                    ("discard_item", "Can discard item"),
                )
            },
        ),
    ]
