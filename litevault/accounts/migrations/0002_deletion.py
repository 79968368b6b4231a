"""Let the database delete what belongs to a deleted user, as items/migrations/0003_deletion.py does."""

from collections.abc import Iterator

from django.db import migrations

FOREIGN_KEYS = {
    "api_tokens": "api_tokens_user_id_2db24e1c_fk_auth_user_id",
    "api_throttles": "api_throttles_user_id_3381743e_fk_auth_user_id",
}


def replace(rule: str) -> Iterator[str]:
    for table, name in FOREIGN_KEYS.items():
        yield f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        yield (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (user_id) REFERENCES auth_user (id) {rule}"
            " DEFERRABLE INITIALLY DEFERRED NOT VALID"
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_tables")]

    operations = [migrations.RunSQL(list(replace("ON DELETE CASCADE")), list(replace("")))]
