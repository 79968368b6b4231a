"""The triggers that make the table a queue. Frozen: change them in a new migration.

They can be laid down again over what somebody dropped or disabled by hand: migrate back to 0001 and forwards.
"""

from django.db import migrations

# Moving a row to ENRICHING starts its attempts afresh, whoever moves it: the API, the admin or plain SQL.
# Taking a row out of the worker's hands raises the fencing token, so that a late result is recognised.
RESTART = """
CREATE OR REPLACE FUNCTION items_restart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.fencing_token := OLD.fencing_token + 1;
    NEW.claimed_by := NULL;
    NEW.claimed_at := NULL;
    IF NEW.status = 'ENRICHING' THEN
        NEW.enrichment_error := NULL;
        NEW.attempt_count := 0;
        NEW.available_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER items_restart BEFORE UPDATE OF status ON items
FOR EACH ROW WHEN (
    OLD.status IS DISTINCT FROM NEW.status
    AND (NEW.status IN ('ENRICHING', 'DISCARDED') OR NEW.claimed_by IS NOT NULL OR NEW.claimed_at IS NOT NULL)
)
EXECUTE FUNCTION items_restart();
"""
RESTART_REVERSE = """
DROP TRIGGER IF EXISTS items_restart ON items;
DROP FUNCTION IF EXISTS items_restart();
"""

# The transitions of items/states.py, for those who come by plain SQL.
TRANSITION = """
CREATE OR REPLACE FUNCTION items_refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING
        MESSAGE = format('An item that is %s cannot become %s.', OLD.status, NEW.status),
        CONSTRAINT = 'items_transition';
END $$;

CREATE OR REPLACE TRIGGER items_transition BEFORE UPDATE OF status ON items
FOR EACH ROW WHEN (
    OLD.status IS DISTINCT FROM NEW.status
    AND (OLD.status, NEW.status) NOT IN (
        ('ENRICHING', 'READY_TO_CONFIRM'), ('ENRICHING', 'FAILED'), ('ENRICHING', 'DISCARDED'),
        ('READY_TO_CONFIRM', 'ARCHIVED'), ('READY_TO_CONFIRM', 'DISCARDED'),
        ('FAILED', 'ENRICHING'), ('FAILED', 'DISCARDED'),
        ('ARCHIVED', 'DISCARDED')
    )
)
EXECUTE FUNCTION items_refuse_transition();
"""
TRANSITION_REVERSE = """
DROP TRIGGER IF EXISTS items_transition ON items;
DROP FUNCTION IF EXISTS items_refuse_transition();
"""

# A list within a list, or a tag that is null, is nothing that the API could show.
FLAT_TAGS = """
ALTER TABLE items ADD CONSTRAINT items_tags_flat
CHECK (CASE coalesce(array_ndims(tags), 1) WHEN 1 THEN array_position(tags, NULL) IS NULL ELSE false END);
"""
FLAT_TAGS_REVERSE = "ALTER TABLE items DROP CONSTRAINT IF EXISTS items_tags_flat;"

# The payload is constant, so that PostgreSQL folds all rows of one transaction into one notification.
NOTIFY_ENRICHING = """
CREATE OR REPLACE FUNCTION items_notify_enriching() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_enriching', '');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER items_notify_insert AFTER INSERT ON items
FOR EACH ROW WHEN (NEW.status = 'ENRICHING')
EXECUTE FUNCTION items_notify_enriching();

CREATE OR REPLACE TRIGGER items_notify_update AFTER UPDATE OF status ON items
FOR EACH ROW WHEN (NEW.status = 'ENRICHING' AND OLD.status IS DISTINCT FROM 'ENRICHING')
EXECUTE FUNCTION items_notify_enriching();
"""
NOTIFY_ENRICHING_REVERSE = """
DROP TRIGGER IF EXISTS items_notify_update ON items;
DROP TRIGGER IF EXISTS items_notify_insert ON items;
DROP FUNCTION IF EXISTS items_notify_enriching();
"""

# Tells the worker that holds the row to cancel its call.
NOTIFY_CANCELLED = """
CREATE OR REPLACE FUNCTION items_notify_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_cancelled', OLD.id::text);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER items_notify_cancelled AFTER UPDATE OF status ON items
FOR EACH ROW WHEN (OLD.status = 'ENRICHING' AND NEW.status = 'DISCARDED' AND OLD.claimed_by IS NOT NULL)
EXECUTE FUNCTION items_notify_cancelled();
"""
NOTIFY_CANCELLED_REVERSE = """
DROP TRIGGER IF EXISTS items_notify_cancelled ON items;
DROP FUNCTION IF EXISTS items_notify_cancelled();
"""


class Migration(migrations.Migration):
    dependencies = [("items", "0001_initial")]

    operations = [
        migrations.RunSQL(FLAT_TAGS, FLAT_TAGS_REVERSE),
        migrations.RunSQL(RESTART, RESTART_REVERSE),
        migrations.RunSQL(TRANSITION, TRANSITION_REVERSE),
        migrations.RunSQL(NOTIFY_ENRICHING, NOTIFY_ENRICHING_REVERSE),
        migrations.RunSQL(NOTIFY_CANCELLED, NOTIFY_CANCELLED_REVERSE),
    ]
