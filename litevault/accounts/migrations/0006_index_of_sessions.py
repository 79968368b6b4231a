from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY
    dependencies = [("accounts", "0005_sessions_of_users")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS django_session_user ON django_session (user_id)",
            "DROP INDEX CONCURRENTLY IF EXISTS django_session_user",
        ),
    ]
