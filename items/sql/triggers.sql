-- The triggers that make the table `items` a queue, each below the function that it calls.
--
-- Every statement can be run again over what is there: it creates what is missing and enables what is disabled.
-- items/sql/__init__.py reads the names from the lines that begin with CREATE. After a release, a change to this file
-- needs a new migration that runs it again.

-- Start the attempts of an item afresh when it moves to ENRICHING, by the API, the admin or plain SQL.
--
-- Raise the fencing token of every item that leaves its worker, so that a late result is recognised. The worker's own
-- results do not come here: they clear the claim in the same statement.
--
-- Remember where a discarded item and a redrafted one come from, so that they can be restored.
--
-- A retry may say when the item becomes due, so that many retries can be spread over time: an available_at that the same
-- statement sets counts if it is in the future. An older value does not count, because it may be left from a lease.
--
-- The request and the trace of the item are from then on those of the retry, which items/audit.py puts into litevault.actor.
CREATE OR REPLACE FUNCTION items_restart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := nullif(current_setting('litevault.actor', true), '')::jsonb;
BEGIN
    NEW.fencing_token := OLD.fencing_token + 1;
    NEW.claimed_by := NULL;
    NEW.claimed_at := NULL;
    IF NEW.status = 'ENRICHING' THEN
        NEW.enrichment_error := NULL;
        NEW.attempt_count := 0;
        NEW.refund_count := 0;
        NEW.request_id := nullif(actor ->> 'request_id', '');
        NEW.traceparent := nullif(actor ->> 'traceparent', '');
        IF NEW.available_at = OLD.available_at OR NEW.available_at < clock_timestamp() THEN
            NEW.available_at := clock_timestamp();
        END IF;
    END IF;
    NEW.discarded_from := CASE WHEN NEW.status = 'DISCARDED' THEN OLD.status END;
    IF OLD.status IN ('READY_TO_CONFIRM', 'ARCHIVED') AND NEW.status = 'ENRICHING' THEN
        NEW.redrafted_from := OLD.status;
    ELSIF NEW.status IN ('READY_TO_CONFIRM', 'ARCHIVED') THEN
        NEW.redrafted_from := NULL;
        NEW.enrichment_error := NULL;
    END IF;
    IF NEW.enrichment_error IS NULL THEN
        NEW.error_reason := NULL;
    END IF;
    RETURN NEW;
END $$;

-- Run before the change, only for moves to ENRICHING or DISCARDED, for those that a restore makes, and for moves that leave
-- a claim on the row.
CREATE OR REPLACE TRIGGER items_restart BEFORE UPDATE OF status ON items
FOR EACH ROW WHEN (
    OLD.status IS DISTINCT FROM NEW.status
    AND (
        NEW.status IN ('ENRICHING', 'DISCARDED') OR OLD.status IN ('FAILED', 'DISCARDED')
        OR NEW.claimed_by IS NOT NULL OR NEW.claimed_at IS NOT NULL
    )
)
EXECUTE FUNCTION items_restart();

-- Keep the draft that the draft of a redraft replaces, the last one of each item. What was archived without a model waits
-- for its confirmation now.
CREATE OR REPLACE FUNCTION items_replace_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.former_draft := jsonb_build_object(
        'title', OLD.title, 'summary', OLD.summary, 'tags', OLD.tags, 'sourceType', OLD.source_type
    );
    NEW.redrafted_from := NULL;
    NEW.confirmed_at := NULL;
    NEW.enrichment_mode := 'AI';
    RETURN NEW;
END $$;

-- What was ready has a title, and what was archived has a time of confirmation. An item that is enriched for the first time
-- has neither.
CREATE OR REPLACE TRIGGER items_replace_draft BEFORE UPDATE OF status ON items
FOR EACH ROW WHEN (
    OLD.status = 'ENRICHING' AND NEW.status = 'READY_TO_CONFIRM'
    AND (OLD.title IS NOT NULL OR OLD.confirmed_at IS NOT NULL)
)
EXECUTE FUNCTION items_replace_draft();

-- Refuse a transition that items/states.py does not list. The error is a check violation, as from a constraint.
CREATE OR REPLACE FUNCTION items_refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A restore leads to where the item was. If that is not known, the constraints decide.
    IF OLD.status = 'DISCARDED' AND NEW.status = coalesce(OLD.discarded_from, NEW.status)
       OR OLD.status = 'FAILED' AND NEW.status = OLD.redrafted_from
       OR OLD.status = 'ARCHIVED' AND NEW.status = 'ENRICHING' AND OLD.enrichment_mode = 'MANUAL' THEN
        RETURN NEW;
    END IF;
    RAISE check_violation USING
        MESSAGE = format('An item that is %s cannot become %s.', OLD.status, NEW.status),
        CONSTRAINT = 'items_transition';
END $$;

-- The pairs are those of TRANSITIONS in items/states.py, for writers who use plain SQL. The function knows the pairs that
-- have a condition.
CREATE OR REPLACE TRIGGER items_transition BEFORE UPDATE OF status ON items
FOR EACH ROW WHEN (
    OLD.status IS DISTINCT FROM NEW.status
    AND (OLD.status, NEW.status) NOT IN (
        ('ENRICHING', 'READY_TO_CONFIRM'), ('ENRICHING', 'FAILED'), ('ENRICHING', 'DISCARDED'),
        ('READY_TO_CONFIRM', 'ARCHIVED'), ('READY_TO_CONFIRM', 'ENRICHING'), ('READY_TO_CONFIRM', 'DISCARDED'),
        ('FAILED', 'ENRICHING'), ('FAILED', 'DISCARDED'),
        ('ARCHIVED', 'DISCARDED')
    )
)
EXECUTE FUNCTION items_refuse_transition();

-- Wake the listeners. The payload is constant, so that PostgreSQL folds all rows of one transaction into one
-- notification.
CREATE OR REPLACE FUNCTION items_notify_enriching() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_enriching', '');
    RETURN NULL;
END $$;

-- A capture.
CREATE OR REPLACE TRIGGER items_notify_insert AFTER INSERT ON items
FOR EACH ROW WHEN (NEW.status = 'ENRICHING')
EXECUTE FUNCTION items_notify_enriching();

-- A retry, a redraft or a restore.
CREATE OR REPLACE TRIGGER items_notify_update AFTER UPDATE OF status ON items
FOR EACH ROW WHEN (NEW.status = 'ENRICHING' AND OLD.status IS DISTINCT FROM 'ENRICHING')
EXECUTE FUNCTION items_notify_enriching();

-- Tell the worker that has claimed the item to cancel its call. The payload is the item's id.
CREATE OR REPLACE FUNCTION items_notify_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_cancelled', OLD.id::text);
    RETURN NULL;
END $$;

-- A discard of an item that a worker has claimed.
CREATE OR REPLACE TRIGGER items_notify_cancelled AFTER UPDATE OF status ON items
FOR EACH ROW WHEN (OLD.status = 'ENRICHING' AND NEW.status = 'DISCARDED' AND OLD.claimed_by IS NOT NULL)
EXECUTE FUNCTION items_notify_cancelled();

-- A deletion of an item that a worker has claimed.
CREATE OR REPLACE TRIGGER items_notify_deleted AFTER DELETE ON items
FOR EACH ROW WHEN (OLD.claimed_by IS NOT NULL)
EXECUTE FUNCTION items_notify_cancelled();

-- Tell the events process that something changed, for live updates. The payload is constant, as above.
--
-- Rows that a worker has claimed are left out, because the transactions in which a worker writes its verdicts must never
-- notify. Moves to ENRICHING are left out, because they notify items_enriching already.
CREATE OR REPLACE FUNCTION items_notify_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('items_changed', '');
    RETURN NULL;
END $$;

-- A capture without enrichment, or an import.
CREATE OR REPLACE TRIGGER items_notify_changed_insert AFTER INSERT ON items
FOR EACH ROW WHEN (NEW.status <> 'ENRICHING')
EXECUTE FUNCTION items_notify_changed();

-- A confirmation, an edit, a discard: any change that sets updated_at.
CREATE OR REPLACE TRIGGER items_notify_changed_update AFTER UPDATE OF updated_at ON items
FOR EACH ROW WHEN (
    OLD.claimed_by IS NULL AND NEW.status <> 'ENRICHING' AND OLD.updated_at IS DISTINCT FROM NEW.updated_at
)
EXECUTE FUNCTION items_notify_changed();
