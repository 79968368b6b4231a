"""The bell for those who have changes shown to them live, and the index that tells what changed. Frozen, like 0002."""

from django.conf import settings
from django.db import migrations, models

# Only rows that no worker holds: the transactions in which a worker writes verdicts must never notify.
# What moves to ENRICHING rings items_enriching already.
NOTIFY_CHANGED = """
CREATE OR REPLACE FUNCTION items_notify_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_changed', '');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER items_notify_changed_insert AFTER INSERT ON items
FOR EACH ROW WHEN (NEW.status <> 'ENRICHING')
EXECUTE FUNCTION items_notify_changed();

CREATE OR REPLACE TRIGGER items_notify_changed_update AFTER UPDATE OF updated_at ON items
FOR EACH ROW WHEN (
    OLD.claimed_by IS NULL AND NEW.status <> 'ENRICHING' AND OLD.updated_at IS DISTINCT FROM NEW.updated_at
)
EXECUTE FUNCTION items_notify_changed();
"""
NOTIFY_CHANGED_REVERSE = """
DROP TRIGGER IF EXISTS items_notify_changed_update ON items;
DROP TRIGGER IF EXISTS items_notify_changed_insert ON items;
DROP FUNCTION IF EXISTS items_notify_changed();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("items", "0005_paced_retry"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="item",
            index=models.Index("owner", "updated_at", name="items_owner_changed"),
        ),
        migrations.RunSQL(NOTIFY_CHANGED, NOTIFY_CHANGED_REVERSE),
    ]
