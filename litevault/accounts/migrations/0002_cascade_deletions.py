"""Let the database delete what belongs to a deleted user, as items/migrations/0002_cascade_deletions.py does."""

from django.db import migrations

FOREIGN_KEYS = {
    "api_tokens": "api_tokens_user_id_2db24e1c_fk_auth_user_id",
    "api_throttles": "api_throttles_user_id_3381743e_fk_auth_user_id",
}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_create_tables")]

    operations = [
        migrations.RunSQL(
            [
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} FOREIGN KEY (user_id) "
                "REFERENCES auth_user (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
                for table, name in FOREIGN_KEYS.items()
            ],
            migrations.RunSQL.noop,
        ),
    ]
