-- Claim up to `slots` due items for `worker`, lease them for `lease_seconds`, and return their rows.
--
-- Fair between owners: `turn` walks from owner to owner along the index items_claim, beginning after `after_owner`, and
-- `share` gives each owner an equal part of the slots. If `per_owner` is not 0, no owner has more than that many items
-- claimed at a time, except for items that two workers claim in the same instant. `lost` records the attempts of claims
-- whose lease has ended. An owner whose enrichment is paused (enrichment_pauses, where 0 stands for all owners) gets none.
-- A pause by staff waits for the claims that hold the shared lock, and a claim that waits for it sees the pause: once the
-- pause has returned, nothing is claimed.
--
-- This is a function because PostgreSQL takes twice as long to plan the statement as to execute it. A function keeps its
-- plan for as long as the session lives, also behind a pooler, where a client cannot keep a plan. Its SET clauses fix how
-- it is planned.
--
-- There is one plan for all calls, a walk along items_claim, so that a claim reads a few pages however long the queue is.
-- The planner gets no choice, because its statistics may be wrong: they may be older than a burst, or autovacuum may have
-- looked at the table before a first large import was committed. A planner that believes the table to be empty takes any
-- index for as good as any other. Therefore:
-- - The SET clauses turn off the other ways to scan, sort and join.
-- - `(SELECT now())` hides the time from the planner.
-- - `owner_id BETWEEN x AND x` instead of `=` keeps owner_id in the order that is asked for, which only items_claim has.
-- - The rows found are updated by their place (ctid), which needs no index. A place holds while the row is locked.
--
-- The commit does not wait for the disk (synchronous_commit), because a claim that a crash takes back is only a lost
-- lease. The worker of that claim goes on, and the next claim must not get the same token: therefore the token grows by a
-- large random number. An attempt that is recorded already under its token is not recorded again (ON CONFLICT).
CREATE OR REPLACE FUNCTION items_claim(
    after_owner bigint, slots bigint, per_owner bigint, lease_seconds double precision, worker text
) RETURNS SETOF items LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_incremental_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_indexscan = on SET jit = off
AS $$
DECLARE
    taken tid[];
    has_pauses boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared('enrichment_pauses'::regclass::oid::bigint);
    has_pauses := EXISTS (SELECT FROM enrichment_pauses);
    IF has_pauses AND EXISTS (
        SELECT FROM enrichment_pauses WHERE owner_id = 0 AND (until IS NULL OR until > now())
    ) THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    WITH RECURSIVE turn (owner_id, room, place) AS (
        SELECT after_owner, 0::bigint, 0
      UNION ALL
        SELECT next.owner_id, next.room, turn.place + (next.room > 0)::integer
        FROM turn CROSS JOIN LATERAL (
            SELECT first.owner_id::bigint, CASE WHEN has_pauses AND EXISTS (
                SELECT FROM enrichment_pauses
                WHERE owner_id = first.owner_id AND (until IS NULL OR until > (SELECT now()))
            ) THEN 0 WHEN per_owner = 0 THEN slots ELSE per_owner - (
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
