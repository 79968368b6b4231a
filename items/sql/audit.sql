-- The triggers that record who changed an item, in the transaction of the change, by whichever way it came.
--
-- items/audit.py sets litevault.actor for one transaction. A change without it came from plain SQL. As in triggers.sql,
-- every statement can be run again.

CREATE OR REPLACE FUNCTION audit_record(action text, object_kind text, object_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := coalesce(
        nullif(current_setting('litevault.actor', true), '')::jsonb,
        jsonb_build_object('name', session_user, 'via', 'database')
    );
BEGIN
    INSERT INTO audit_events (actor_id, actor_name, via, credential, request_id, action, object_kind, object_id)
    VALUES (
        (actor ->> 'user_id')::bigint, actor ->> 'name', actor ->> 'via', coalesce(actor ->> 'credential', ''),
        coalesce(actor ->> 'request_id', ''), action, object_kind, object_id
    );
END $$;

CREATE OR REPLACE FUNCTION items_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM audit_record('delete', 'item', OLD.id::text);
        RETURN NULL;
    END IF;
    IF (OLD.title, OLD.summary, OLD.tags) IS DISTINCT FROM (NEW.title, NEW.summary, NEW.tags) THEN
        PERFORM audit_record('edit', 'item', NEW.id::text);
    END IF;
    IF OLD.status IS DISTINCT FROM NEW.status THEN
        PERFORM audit_record(
            CASE WHEN NEW.status = 'DISCARDED' THEN 'discard'
                 WHEN OLD.status = 'DISCARDED' THEN 'restore'
                 WHEN OLD.status = 'FAILED' THEN CASE WHEN NEW.status = 'ENRICHING' THEN 'retry' ELSE 'restore' END
                 WHEN NEW.status = 'ENRICHING' THEN 'redraft'
                 ELSE 'confirm' END,
            'item', NEW.id::text
        );
    END IF;
    RETURN NULL;
END $$;

-- A worker changes only items that are ENRICHING, and never discards: its statements do not call the function.
CREATE OR REPLACE TRIGGER items_audit_update AFTER UPDATE OF status, title, summary, tags ON items
FOR EACH ROW WHEN (
    (OLD.status <> 'ENRICHING' OR NEW.status = 'DISCARDED')
    AND (OLD.status, OLD.title, OLD.summary, OLD.tags) IS DISTINCT FROM (NEW.status, NEW.title, NEW.summary, NEW.tags)
)
EXECUTE FUNCTION items_audit();

CREATE OR REPLACE TRIGGER items_audit_delete AFTER DELETE ON items
FOR EACH ROW EXECUTE FUNCTION items_audit();
