from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("litevault", "0002_api_throttles"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginThrottle",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="A keyed hash: neither name nor address.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "drained_at",
                    models.DateTimeField(help_text="When the bucket is empty again. Every login puts it off."),
                ),
            ],
            options={
                "db_table": "login_throttles",
            },
        ),
        migrations.RunSQL("ALTER TABLE login_throttles SET UNLOGGED", migrations.RunSQL.noop),
    ]
