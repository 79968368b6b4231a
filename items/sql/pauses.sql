-- What happens when staff pause and resume enrichment, in the same transaction: the audit trail has it, and the workers
-- are woken. As in triggers.sql, every statement can be run again.

CREATE OR REPLACE FUNCTION enrichment_pauses_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed enrichment_pauses := coalesce(NEW, OLD);
BEGIN
    PERFORM audit_record(
        CASE TG_OP WHEN 'INSERT' THEN 'pause' ELSE 'resume' END,
        CASE changed.owner_id WHEN 0 THEN 'all' ELSE 'user' END, changed.owner_id::text
    );
    PERFORM pg_notify('items_enriching', '');
    RETURN NULL;
END $$;

-- Not for the pauses of a budget: workers write these, and must never notify.
CREATE OR REPLACE TRIGGER enrichment_pauses_insert AFTER INSERT ON enrichment_pauses
FOR EACH ROW WHEN (NEW.reason = 'STAFF') EXECUTE FUNCTION enrichment_pauses_changed();

CREATE OR REPLACE TRIGGER enrichment_pauses_delete AFTER DELETE ON enrichment_pauses
FOR EACH ROW WHEN (OLD.reason = 'STAFF') EXECUTE FUNCTION enrichment_pauses_changed();
