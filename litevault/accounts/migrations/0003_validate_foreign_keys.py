"""Validate the constraints of 0002."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0002_deletion")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE api_tokens VALIDATE CONSTRAINT api_tokens_user_id_2db24e1c_fk_auth_user_id",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "ALTER TABLE api_throttles VALIDATE CONSTRAINT api_throttles_user_id_3381743e_fk_auth_user_id",
            migrations.RunSQL.noop,
        ),
    ]
