"""Say in a column whose session it is, so that users can see and end theirs. Django's table keeps its other columns."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_audit_triggers"), ("sessions", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="UserSession",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("session_data", models.TextField()),
                ("expire_date", models.DateTimeField()),
                ("user_id", models.BigIntegerField(null=True)),
            ],
            options={"db_table": "django_session", "managed": False, "default_permissions": ()},
        ),
        migrations.RunSQL(
            "ALTER TABLE django_session ADD COLUMN user_id bigint",
            "ALTER TABLE django_session DROP COLUMN user_id",
        ),
    ]
