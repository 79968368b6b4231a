"""The limit that PostgreSQL sets: the rows that LiteVault writes, by bare statements on one connection."""

import time

import psycopg

BATCH = 100

CLAIM = """
UPDATE items SET available_at = now() + interval '45 s', fencing_token = fencing_token + 1,
    attempt_count = attempt_count + 1, claimed_at = now(), claimed_by = 'bare'
WHERE id IN (
    SELECT id FROM items WHERE status = 'ENRICHING' AND available_at <= now()
    ORDER BY available_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id
"""
FINISH = """
WITH finished AS (
    UPDATE items SET status = 'READY_TO_CONFIRM', title = 'A title', summary = 'A summary.',
        tags = ARRAY['one', 'two', 'three'], source_type = 'NOTE', claimed_at = NULL, claimed_by = NULL,
        updated_at = now()
    WHERE id = ANY(%s) RETURNING id, fencing_token
)
INSERT INTO enrichment_attempts (item_id, number, fencing_token, worker, started_at, finished_at, outcome, model)
SELECT id, 1, fencing_token, 'bare', now(), now(), 'SUCCEEDED', 'null' FROM finished
"""
CAPTURE = """
INSERT INTO items (owner_id, raw_text)
SELECT (SELECT min(id) FROM auth_user), 'k' || n FROM generate_series(1, %s) n
"""


def write_bare(url: str, number: int) -> float:
    """Items per second, from the first claim to the last result."""
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute(CAPTURE, [number])
        begun_at = time.perf_counter()
        written = 0
        while claimed := claim(connected):
            connected.execute(FINISH, [claimed])
            written += len(claimed)
        return written / (time.perf_counter() - begun_at)


def claim(connected: psycopg.Connection) -> list[object]:
    with connected.transaction():
        connected.execute("SET LOCAL synchronous_commit = off")
        return [item_id for (item_id,) in connected.execute(CLAIM, [BATCH])]
