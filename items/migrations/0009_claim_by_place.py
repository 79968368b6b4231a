"""The claim leaves no choice of an index. Frozen, like 0002.

A planner that believes the table to be empty takes any index for as good as any other. It believes so when autovacuum
has looked at the table while a first large import was not committed yet; a claim then read all of the import.
"""

from importlib import import_module

from django.db import migrations

# As in 0007, and besides: only items_claim has the order that is asked for (an owner between itself and itself, because
# PostgreSQL forgets an order by what is equal), and what was found is taken by its place, which needs no index.
# A place holds for as long as the row is locked.
CLAIM = """
CREATE OR REPLACE FUNCTION items_claim(
    after_owner bigint, slots bigint, per_owner bigint, lease_seconds double precision, worker text
) RETURNS SETOF items LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_incremental_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_indexscan = on SET jit = off
AS $$
DECLARE
    taken tid[];
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    WITH RECURSIVE turn (owner_id, room, place) AS (
        SELECT after_owner, 0::bigint, 0
      UNION ALL
        SELECT next.owner_id, next.room, turn.place + (next.room > 0)::integer
        FROM turn CROSS JOIN LATERAL (
            SELECT first.owner_id::bigint, CASE WHEN per_owner = 0 THEN slots ELSE per_owner - (
                SELECT count(*) FROM (
                    SELECT FROM items
                    WHERE status = 'ENRICHING' AND available_at > (SELECT now())
                      AND owner_id BETWEEN first.owner_id AND first.owner_id AND claimed_by IS NOT NULL
                    ORDER BY owner_id, available_at, id
                ) leased
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
            SELECT ctid AS place, id, fencing_token, claimed_by, claimed_at FROM items
            WHERE status = 'ENRICHING' AND available_at <= (SELECT now())
              AND owner_id BETWEEN turn.owner_id AND turn.owner_id
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
    SELECT array_agg(place) INTO taken FROM due;
    IF taken IS NULL THEN
        RETURN;
    END IF;
    PERFORM set_config('enable_indexscan', 'off', true);
    RETURN QUERY UPDATE items SET
        available_at = now() + make_interval(secs => lease_seconds),
        fencing_token = items.fencing_token + 1 + floor(random() * 2147483648)::bigint,
        attempt_count = items.attempt_count + 1,
        claimed_at = now(),
        claimed_by = worker
    WHERE ctid = ANY (taken)
    RETURNING items.*;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("items", "0008_periods")]

    operations = [migrations.RunSQL(CLAIM, import_module("items.migrations.0007_claim").CLAIM)]
