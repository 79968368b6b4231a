"""The SQL of the queue protocol, in one place. items.queue says what each statement is for."""

# Fair between owners: `turn` walks from owner to owner along the index items_claim, and each owner gets an
# equal share of the free slots. It reads a few index pages however long the queue is, because `(SELECT now())` hides
# the time from the planner: statistics from before a burst would have it fetch all that is due, and sort it.
# A lost claim is only a lost lease, so the commit does not wait for the disk. But its worker goes on, and must not
# meet its own token in the hands of the next: hence the long stride of chance, and no complaint about what is recorded.
CLAIM = """
WITH RECURSIVE turn (owner_id, room, place) AS (
    SELECT %(after_owner)s::bigint, 0::bigint, 0
    FROM set_config('synchronous_commit', 'off', true)
  UNION ALL
    SELECT next.owner_id, next.room, turn.place + (next.room > 0)::integer
    FROM turn CROSS JOIN LATERAL (
        SELECT first.owner_id::bigint, CASE WHEN %(per_owner)s = 0 THEN %(limit)s ELSE %(per_owner)s - (
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
    WHERE turn.place < %(limit)s
),
share AS (
    SELECT ceil(%(limit)s::numeric / greatest(1, count(*))) AS size FROM turn WHERE room > 0
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
    LIMIT %(limit)s
),
lost AS (
    INSERT INTO enrichment_attempts (item_id, number, fencing_token, worker, started_at, finished_at, outcome)
    SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM enrichment_attempts WHERE item_id = due.id),
           fencing_token, claimed_by, claimed_at, now(), 'LOST'
    FROM due WHERE claimed_by IS NOT NULL
    ON CONFLICT (item_id, fencing_token) DO NOTHING
)
UPDATE items SET
    available_at = now() + make_interval(secs => %(lease_seconds)s),
    fencing_token = items.fencing_token + 1 + floor(random() * 2147483648)::bigint,
    attempt_count = items.attempt_count + 1,
    claimed_at = now(),
    claimed_by = %(worker)s
FROM due WHERE items.id = due.id
RETURNING items.id, items.owner_id, items.raw_text, items.fencing_token, items.attempt_count
"""

RENEW = """
WITH claim AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(tokens)s::bigint[]) AS claim (id, token)
),
free AS (
    SELECT items.id FROM items
    JOIN claim ON items.id = claim.id AND items.fencing_token = claim.token AND items.status = 'ENRICHING'
    FOR NO KEY UPDATE OF items SKIP LOCKED
),
renewed AS (
    UPDATE items SET available_at = now() + make_interval(secs => %(lease_seconds)s)
    FROM free, set_config('synchronous_commit', 'off', true)
    WHERE items.id = free.id
)
SELECT items.id FROM items
JOIN claim ON items.id = claim.id AND items.fencing_token = claim.token AND items.status = 'ENRICHING'
"""

# Those that somebody else has locked are left out: one row that is held must not hold up the others.
LOCK = """
SELECT id, status, fencing_token FROM items WHERE id = ANY(%s::uuid[]) FOR NO KEY UPDATE SKIP LOCKED
"""

# A statement of its own after LOCK, so that it sees what others wrote before: the numbers of their attempts, above all.
FINISH = """
WITH verdict AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS verdict (
        id uuid, status text, title text, summary text, tags text[], source_type text, enrichment_error text,
        delay_seconds double precision, refund smallint, hand_back smallint, fencing_token bigint, worker text,
        started_at timestamptz, finished_at timestamptz, outcome text, error_code text, model text,
        prompt_tokens integer, completion_tokens integer, cost_usd numeric
    )
),
attempt AS (
    INSERT INTO enrichment_attempts (
        item_id, number, fencing_token, worker, started_at, finished_at, outcome, error_code, model,
        prompt_tokens, completion_tokens, cost_usd
    )
    SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM enrichment_attempts WHERE item_id = verdict.id),
           fencing_token, worker, started_at, finished_at, outcome, error_code, model,
           prompt_tokens, completion_tokens, cost_usd
    FROM verdict
)
UPDATE items SET
    status = verdict.status,
    title = coalesce(verdict.title, items.title),
    summary = coalesce(verdict.summary, items.summary),
    tags = coalesce(verdict.tags, items.tags),
    source_type = coalesce(verdict.source_type, items.source_type),
    enrichment_error = verdict.enrichment_error,
    available_at = now() + make_interval(secs => verdict.delay_seconds),
    attempt_count = items.attempt_count - verdict.refund,
    fencing_token = items.fencing_token + verdict.hand_back,
    claimed_at = NULL,
    claimed_by = NULL,
    updated_at = now()
FROM verdict
WHERE items.id = verdict.id
"""

NEXT_DUE = """
SELECT extract(epoch FROM min(available_at) - now()) FROM items WHERE status = 'ENRICHING' AND available_at > now()
"""
