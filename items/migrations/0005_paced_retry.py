"""A retry may say when it becomes due, so that many of them can be spread over time. Frozen, like 0002."""

from django.db import migrations

# A time that the same statement sets counts if it lies ahead. A time from before does not:
# it may be what is left of a lease.
RESTART = """
CREATE OR REPLACE FUNCTION items_restart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.fencing_token := OLD.fencing_token + 1;
    NEW.claimed_by := NULL;
    NEW.claimed_at := NULL;
    IF NEW.status = 'ENRICHING' THEN
        NEW.enrichment_error := NULL;
        NEW.attempt_count := 0;
        IF NEW.available_at = OLD.available_at OR NEW.available_at < clock_timestamp() THEN
            NEW.available_at := clock_timestamp();
        END IF;
    END IF;
    RETURN NEW;
END $$;
"""
RESTART_AT_ONCE = """
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
"""


class Migration(migrations.Migration):
    dependencies = [("items", "0004_review_indexes")]

    operations = [migrations.RunSQL(RESTART, RESTART_AT_ONCE)]
