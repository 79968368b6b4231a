"""Create the table of the audit trail."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("items", "0009_long_texts_of_an_owner"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(max_length=150)),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("token", "Token"),
                            ("session", "Session"),
                            ("admin", "Admin"),
                            ("development", "Development login"),
                            ("command", "Command"),
                            ("database", "Plain SQL"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "credential",
                    models.CharField(
                        help_text="The id of the token, a hash of the session's key, or the command.", max_length=64
                    ),
                ),
                ("request_id", models.CharField(max_length=128)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("edit", "Edit"),
                            ("confirm", "Confirm"),
                            ("retry", "Retry"),
                            ("discard", "Discard"),
                            ("restore", "Restore"),
                            ("delete", "Delete"),
                            ("issue", "Issue"),
                            ("revoke", "Revoke"),
                            ("login", "Login"),
                            ("login_failed", "Failed login"),
                        ],
                        max_length=12,
                    ),
                ),
                ("object_kind", models.CharField(max_length=8)),
                ("object_id", models.CharField(max_length=36)),
            ],
            options={
                "db_table": "audit_events",
                "ordering": ("-id",),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["at"], name="audit_events_at"),
                    models.Index(fields=["object_id", "id"], name="audit_events_object"),
                    models.Index(fields=["actor_name", "id"], name="audit_events_actor"),
                    models.Index(fields=["action", "id"], name="audit_events_action"),
                ],
            },
        ),
    ]
