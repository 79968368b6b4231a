"""The questions of the first page. Each reads an index, and no more of it than it needs."""

from typing import Any

from django.db import connection

OLDEST_WAIT = "SELECT now() - min(available_at) FROM items WHERE status = 'ENRICHING' AND available_at <= now()"

# Leases are short, so that they stand first; what was put off for later can be much, and is not read.
IN_FLIGHT = """
SELECT claimed_by, count(*) FROM (
    SELECT claimed_by FROM items WHERE status = 'ENRICHING' AND available_at > now()
    ORDER BY available_at LIMIT %(most)s
) soonest
WHERE claimed_by IS NOT NULL GROUP BY claimed_by
"""

FAILURES = """
SELECT coalesce(error_code, outcome), count(*) FROM (
    SELECT error_code, outcome FROM enrichment_attempts
    WHERE finished_at > now() - interval '1 hour' AND outcome IN ('FAILED', 'LOST')
    ORDER BY finished_at DESC LIMIT %(most)s
) failed
GROUP BY 1 ORDER BY 2 DESC, 1
"""

# Latency is what the owner waits for, from the capture to the draft. Items that needed more than one attempt are left
# out: a retry after a week says nothing about the speed of today. A sample of each hour is enough for it.
HOURS = """
SELECT hour, worked.succeeded, worked.others, worked.took, waited.median, waited.slow,
       spent.tokens_in, spent.tokens_out, spent.cost
FROM unnest(%(hours)s::timestamptz[]) AS hour
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome = 'SUCCEEDED') AS succeeded,
           count(*) FILTER (WHERE outcome <> 'SUCCEEDED') AS others,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)) AS took
    FROM (
        SELECT outcome, started_at, finished_at FROM enrichment_attempts
        WHERE finished_at >= hour AND finished_at < hour + interval '1 hour' LIMIT %(most)s
    ) attempt
) worked
CROSS JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS slow
    FROM (
        SELECT extract(epoch FROM attempt.finished_at - items.created_at) AS seconds
        FROM (
            SELECT item_id, finished_at FROM enrichment_attempts
            WHERE finished_at >= hour AND finished_at < hour + interval '1 hour'
              AND number = 1 AND outcome = 'SUCCEEDED'
            LIMIT %(sample)s
        ) attempt JOIN items ON items.id = attempt.item_id
    ) wait
) waited
CROSS JOIN LATERAL (
    SELECT sum(prompt_tokens) AS tokens_in, sum(completion_tokens) AS tokens_out, sum(cost_usd) AS cost
    FROM enrichment_attempts WHERE finished_at >= hour AND finished_at < hour + interval '1 hour'
) spent
"""

# state_change is when the listener last asked for anything: its probe, at the latest. A role that may not see other
# roles' sessions gets the name without the rest.
LISTENERS = """
SELECT application_name, coalesce(host(client_addr), client_hostname), pid, backend_start, now() - state_change
FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, %(listener)s)
ORDER BY backend_start, pid
"""

WORKERS = """
SELECT worker, count(*), now() - max(finished_at) FROM (
    SELECT worker, finished_at FROM enrichment_attempts WHERE finished_at > now() - interval '1 hour'
    ORDER BY finished_at DESC LIMIT %(most)s
) recent
GROUP BY worker ORDER BY max(finished_at) DESC
"""

DAYS = """
SELECT day, spent.tokens_in, spent.tokens_out, spent.cost
FROM unnest(%(days)s::timestamptz[]) AS day
CROSS JOIN LATERAL (
    SELECT sum(prompt_tokens) AS tokens_in, sum(completion_tokens) AS tokens_out, sum(cost_usd) AS cost
    FROM enrichment_attempts WHERE finished_at >= day AND finished_at < day + interval '1 day'
) spent
"""


def ask(question: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return list(cursor.fetchall())


def without_compiling() -> None:
    """For the rest of the transaction: to compile these questions would take longer than to answer them."""
    ask("SELECT set_config('jit', 'off', true)")
