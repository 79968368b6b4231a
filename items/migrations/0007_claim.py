"""The claim, as a function of the database's. Frozen, like 0002.

Planning this statement takes PostgreSQL twice as long as executing it. A function keeps its plan for as long as the
session lives, also behind a pooler, where a client cannot keep any; and it says by itself how it is to be planned.
"""

from django.db import migrations

# One plan for all calls, and none but a walk along the indexes: whatever the statistics say, which may be from before
# a burst, a claim reads a few pages however long the queue is. `(SELECT now())` hides the time from the planner, too.
#
# Fair between owners: `turn` walks from owner to owner along the index items_claim, and each owner gets an equal share
# of the free slots.
#
# A lost claim is only a lost lease, so the commit does not wait for the disk. But its worker goes on, and must not
# meet its own token in the hands of the next: hence the long stride of chance, and no complaint about what is recorded.
CLAIM = """
CREATE OR REPLACE FUNCTION items_claim(
    after_owner bigint, slots bigint, per_owner bigint, lease_seconds double precision, worker text
) RETURNS SETOF items LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN QUERY
    WITH RECURSIVE turn (owner_id, room, place) AS (
        SELECT after_owner, 0::bigint, 0
      UNION ALL
        SELECT next.owner_id, next.room, turn.place + (next.room > 0)::integer
        FROM turn CROSS JOIN LATERAL (
            SELECT first.owner_id::bigint, CASE WHEN per_owner = 0 THEN slots ELSE per_owner - (
                SELECT count(*) FROM items
                WHERE status = 'ENRICHING' AND available_at > (SELECT now())
                  AND owner_id = first.owner_id AND claimed_by IS NOT NULL
            ) END AS room
            FROM (
                SELECT owner_id FROM items
                WHERE status = 'ENRICHING' AND available_at <= (SELECT now()) AND owner_id > turn.owner_id
                ORDER BY owner_id, available_at, id
                LIMIT 1
            ) first
        ) next
        WHERE turn.place < slots
    ),
    share AS (
        SELECT ceil(slots::numeric / greatest(1, count(*))) AS size FROM turn WHERE room > 0
    ),
    due AS (
        SELECT item.* FROM turn CROSS JOIN LATERAL (
            SELECT id, fencing_token, claimed_by, claimed_at FROM items
            WHERE status = 'ENRICHING' AND available_at <= (SELECT now()) AND owner_id = turn.owner_id
            ORDER BY owner_id, available_at, id
            LIMIT least(turn.room, (SELECT size FROM share))
            FOR NO KEY UPDATE SKIP LOCKED
        ) item
        WHERE turn.room > 0
        LIMIT slots
    ),
    lost AS (
        INSERT INTO enrichment_attempts (item_id, number, fencing_token, worker, started_at, finished_at, outcome)
        SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM enrichment_attempts WHERE item_id = due.id),
               fencing_token, claimed_by, claimed_at, now(), 'LOST'
        FROM due WHERE claimed_by IS NOT NULL
        ON CONFLICT (item_id, fencing_token) DO NOTHING
    )
    UPDATE items SET
        available_at = now() + make_interval(secs => lease_seconds),
        fencing_token = items.fencing_token + 1 + floor(random() * 2147483648)::bigint,
        attempt_count = items.attempt_count + 1,
        claimed_at = now(),
        claimed_by = worker
    FROM due WHERE items.id = due.id
    RETURNING items.*;
END $$;
"""
CLAIM_REVERSE = "DROP FUNCTION IF EXISTS items_claim;"


class Migration(migrations.Migration):
    dependencies = [("items", "0006_changes")]

    operations = [migrations.RunSQL(CLAIM, CLAIM_REVERSE)]
