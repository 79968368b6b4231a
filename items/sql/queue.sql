-- The statements of the queue protocol: items/queue.py says what each is for. `-- name:` begins one, a semicolon ends it.

-- A function of the database (claim.sql), because a function keeps its plan for as long as the session lives. The function
-- passes long texts on without reading them.
-- name: claim
SELECT id, owner_id, left(raw_text, %(text_length)s), fencing_token, attempt_count, refund_count, request_id, traceparent
FROM items_claim(%(after_owner)s, %(limit)s, %(per_owner)s, %(lease_seconds)s, %(worker)s);

-- Lengthen the leases of the items that no other session has locked, and return all that are still held. Do not wait for the disk:
-- a renewal that a crash takes back is only a shorter lease.
-- name: renew
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
JOIN claim ON items.id = claim.id AND items.fencing_token = claim.token AND items.status = 'ENRICHING';

-- Skip the items that another session has locked: one locked row must not delay the others.
--
-- Each item is looked up by its id, and until the commit no plan may scan the whole table. The plan of the check of the
-- foreign key, which comes last and once for each attempt, is kept by the session: a plan that was made while there were
-- few items would scan all that a burst has added since.
-- name: lock
SELECT item.* FROM unnest(%(ids)s::uuid[]) AS wanted (id), set_config('enable_seqscan', 'off', true), LATERAL (
    SELECT id, status, fencing_token FROM items WHERE id = wanted.id FOR NO KEY UPDATE SKIP LOCKED
) item;

-- Distinguish items that are locked from items that were deleted.
-- name: existing
SELECT id FROM items WHERE id = ANY (%(ids)s);

-- Write the verdicts of locked items. A separate statement from `lock`, so that it sees what other sessions wrote before,
-- above all the numbers of their attempts.
-- name: finish
WITH verdict AS (
    SELECT * FROM json_to_recordset(%(verdicts)s::json) AS verdict (
        id uuid, status text, title text, summary text, tags text[], tag_keys text[], source_type text, enrichment_error text,
        delay_seconds double precision, refund smallint, outage smallint, hand_back smallint, fencing_token bigint, worker text,
        started_at timestamptz, finished_at timestamptz, outcome text, error_code text, error_reason text, model text,
        prompt_tokens integer, completion_tokens integer, cost_usd numeric, tags_filled boolean
    )
),
attempt AS (
    INSERT INTO enrichment_attempts (
        item_id, number, fencing_token, worker, started_at, finished_at, outcome, error_code, error_reason, model,
        prompt_tokens, completion_tokens, cost_usd, tags_filled
    )
    SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM enrichment_attempts WHERE item_id = verdict.id),
           fencing_token, worker, started_at, finished_at, outcome, error_code, error_reason, model,
           prompt_tokens, completion_tokens, cost_usd, tags_filled
    FROM verdict
)
UPDATE items SET
    status = verdict.status,
    title = coalesce(verdict.title, items.title),
    summary = coalesce(verdict.summary, items.summary),
    tags = coalesce(verdict.tags, items.tags),
    tag_keys = CASE WHEN verdict.tags IS NULL THEN items.tag_keys ELSE verdict.tag_keys END,
    source_type = coalesce(verdict.source_type, items.source_type),
    enrichment_error = verdict.enrichment_error,
    error_reason = CASE WHEN verdict.enrichment_error IS NOT NULL THEN verdict.error_reason END,
    available_at = now() + make_interval(secs => verdict.delay_seconds),
    attempt_count = items.attempt_count - verdict.refund,
    refund_count = items.refund_count + verdict.outage,
    fencing_token = items.fencing_token + verdict.hand_back,
    claimed_at = NULL,
    claimed_by = NULL,
    updated_at = now()
FROM verdict
WHERE items.id = verdict.id;

-- Record late verdicts as attempts. The items are locked, so that no two attempts get the same number.
--
-- An attempt that is recorded already gets no new number. Only a LOST one changes: its worker has answered after all,
-- and the answer had its price. It gets a new id, because budgets look for costs among the newest ids.
-- name: record_late
WITH verdict AS (
    SELECT * FROM json_to_recordset(%(verdicts)s::json) AS verdict (
        id uuid, fencing_token bigint, worker text, started_at timestamptz, finished_at timestamptz, outcome text,
        error_code text, error_reason text, model text, prompt_tokens integer, completion_tokens integer, cost_usd numeric,
        tags_filled boolean
    )
),
late AS (
    SELECT DISTINCT ON (verdict.id, verdict.fencing_token) verdict.*,
        CASE WHEN verdict.outcome <> 'RELEASED' THEN 'STALE'
             WHEN items.status = 'DISCARDED' THEN 'CANCELLED'
             ELSE 'LOST' END AS late_outcome,
        EXISTS (
            SELECT FROM enrichment_attempts WHERE item_id = verdict.id AND fencing_token = verdict.fencing_token
        ) AS is_recorded
    FROM verdict JOIN items ON items.id = verdict.id
)
INSERT INTO enrichment_attempts AS attempt (
    item_id, number, fencing_token, worker, started_at, finished_at, outcome, error_code, error_reason, model,
    prompt_tokens, completion_tokens, cost_usd, tags_filled
)
SELECT id, (SELECT coalesce(max(number), 0) FROM enrichment_attempts WHERE item_id = late.id)
           + row_number() OVER (PARTITION BY id, is_recorded ORDER BY started_at),
       fencing_token, worker, started_at, finished_at, late_outcome, error_code, error_reason, model,
       prompt_tokens, completion_tokens, cost_usd, tags_filled
FROM late
ON CONFLICT (item_id, fencing_token) DO UPDATE SET
    id = excluded.id,
    outcome = excluded.outcome,
    finished_at = excluded.finished_at,
    model = excluded.model,
    prompt_tokens = excluded.prompt_tokens,
    completion_tokens = excluded.completion_tokens,
    cost_usd = excluded.cost_usd,
    tags_filled = excluded.tags_filled
WHERE attempt.outcome = 'LOST' AND excluded.outcome = 'STALE';

-- The seconds until the next item becomes due, and whether owners are paused, so that it may have to wait.
-- name: next_due
SELECT extract(epoch FROM min(available_at) - now()),
    EXISTS (SELECT FROM enrichment_pauses WHERE until IS NULL OR until > now())
FROM items WHERE status = 'ENRICHING';

-- Since when the oldest due item has waited for a worker, without those of paused owners. While owners are paused, walk
-- from owner to owner as items_claim() does, instead of over all items that wait: over 10,000 owners at most.
-- name: oldest_wait
WITH RECURSIVE pause AS MATERIALIZED (
    SELECT owner_id FROM enrichment_pauses WHERE until IS NULL OR until > now()
),
turn (owner_id, since) AS (
    SELECT -9223372036854775808, NULL::timestamptz WHERE EXISTS (SELECT FROM pause)
  UNION ALL
    SELECT first.owner_id::bigint, first.available_at
    FROM turn CROSS JOIN LATERAL (
        SELECT owner_id, available_at FROM items
        WHERE status = 'ENRICHING' AND available_at <= now() AND owner_id > turn.owner_id
        ORDER BY owner_id, available_at, id
        LIMIT 1
    ) first
)
SELECT now() - CASE
    WHEN NOT EXISTS (SELECT FROM pause) THEN (
        SELECT min(available_at) FROM items WHERE status = 'ENRICHING' AND available_at <= now()
    )
    WHEN NOT EXISTS (SELECT FROM pause WHERE owner_id = 0) THEN (
        SELECT min(since) FROM (SELECT * FROM turn LIMIT 10000) turn
        WHERE owner_id NOT IN (SELECT owner_id FROM pause)
    )
END;

-- Wake the other workers.
-- name: notify_enriching
SELECT pg_notify('items_enriching', '');
