"""Items by the million, generated in SQL, with the same small share for the one owner whose pages are measured."""

import psycopg
from psycopg import sql

OWNERS = 1000
OWN_ITEMS = 2000
SECONDS_OF_YEAR = 365 * 24 * 3600

# Of a hundred: 90 archived, 4 ready, 3 failed, 2 discarded, 1 that waits to be claimed.
INSERT = """
INSERT INTO items (owner_id, raw_text, title, summary, tags, source_type, status, enrichment_error,
                   created_at, updated_at, confirmed_at, available_at)
SELECT {owner}, 'A text about number ' || n || repeat(', and what became of it', 8), 'Title ' || n, 'Summary of ' || n,
       ARRAY['tag' || n %% 50, 'tag' || n %% 7 + 50, 'kept'], CASE WHEN n %% 3 = 0 THEN 'ARTICLE' ELSE 'NOTE' END,
       status, CASE WHEN status = 'FAILED' THEN 'LLM_TIMEOUT: The model took too long.' END,
       moment, moment, CASE WHEN status = 'ARCHIVED' THEN moment END, moment
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
     LATERAL (SELECT now() - random() * %(span)s * interval '1 s' AS moment,
                     CASE WHEN n %% 100 < 90 THEN 'ARCHIVED' WHEN n %% 100 < 94 THEN 'READY_TO_CONFIRM'
                          WHEN n %% 100 < 97 THEN 'FAILED' WHEN n %% 100 < 99 THEN 'DISCARDED'
                          ELSE 'ENRICHING' END AS status) row
"""
USERS = """
INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
SELECT 'owner' || n, '', n = 0, n = 0, true, '', '', '', now() FROM generate_series(0, %s) n
"""
CHUNK = 250_000


def make_owners(url: str) -> int:
    """The first of them is the one who is measured, and may see the admin."""
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute(USERS, [OWNERS])
        (owner,) = connected.execute("SELECT id FROM auth_user WHERE username = 'owner0'").fetchone() or (0,)
    add_items(url, first=1, last=OWN_ITEMS, owner=sql.Literal(owner))
    return int(owner)


def grow_to(url: str, number: int, *, owner: int) -> None:
    """Let the others have so many items together."""
    with psycopg.connect(url) as connected:
        (there,) = connected.execute("SELECT count(*) FROM items WHERE owner_id <> %s", [owner]).fetchone() or (0,)
    others = sql.SQL("{} + 1 + (n %% {})").format(sql.Literal(owner), sql.Literal(OWNERS))
    add_items(url, first=there + 1, last=number, owner=others)


def add_items(url: str, *, first: int, last: int, owner: sql.Composable) -> None:
    with psycopg.connect(url, autocommit=True) as connected:
        for begin in range(first, last + 1, CHUNK):
            end = min(begin + CHUNK - 1, last)
            connected.execute(
                sql.SQL(INSERT).format(owner=owner), {"first": begin, "last": end, "span": SECONDS_OF_YEAR}
            )
        connected.execute("VACUUM ANALYZE items")
