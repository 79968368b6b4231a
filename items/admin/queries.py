"""SQL of the dashboard, and bounded counts. Each query reads an index, and no more of it than it needs."""

import json
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from items.admin.labels import Count
from items.models import Item
from items.reasons import Reason

UNKNOWN_REASONS_LIMIT = 1_000
"""Different reasons that are none of items.reasons. Only another version or plain SQL writes them."""

COUNT_LIMIT = 10_000
"""Count items up to this number, and estimate beyond it, so that pages stay fast in a large table."""

# Leases are short and come first; the limit leaves out the many items that may be scheduled for later.
IN_FLIGHT = """
SELECT claimed_by, count(*) FROM (
    SELECT claimed_by FROM items WHERE status = 'ENRICHING' AND available_at > now()
    ORDER BY available_at LIMIT %(limit)s
) soonest
WHERE claimed_by IS NOT NULL GROUP BY claimed_by
"""

# Lost attempts have no error code.
CAUSE = "coalesce(error_reason, error_code, outcome)"
FAILURES = f"""
SELECT {CAUSE}, error_reason, error_code, count(*) FROM (
    SELECT * FROM enrichment_attempts
    WHERE finished_at > now() - interval '1 hour' AND outcome IN ('FAILED', 'LOST')
    ORDER BY finished_at DESC LIMIT %(limit)s
) failed
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 3
"""  # noqa: S608  # a constant

# Items whose attempt did not count, because of an outage or a rate limit of the provider.
POSTPONED = """
SELECT count(*), max(available_at) - now() FROM (
    SELECT available_at, refund_count FROM items
    WHERE status = 'ENRICHING' AND available_at > now() AND claimed_by IS NULL
    ORDER BY available_at LIMIT %(limit)s
) soonest
WHERE refund_count > 0
"""

# The planner takes status and reason for independent. It would believe that many failed items have no reason, because
# other items have none, and scan the table.
CAUSES_PLAN = """
SELECT set_config(name, 'off', true)
FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'jit']) name
"""

CAUSES = """
SELECT wanted.reason, failed.number, failed.since, used.models
FROM unnest(%(reasons)s::text[]) AS wanted (reason)
CROSS JOIN LATERAL (
    SELECT count(*) AS number, min(updated_at) AS since FROM (
        SELECT updated_at FROM items WHERE status = 'FAILED' AND error_reason = wanted.reason
        ORDER BY error_reason, created_at DESC, id DESC LIMIT %(limit)s
    ) newest
) failed
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT model ORDER BY model) AS models FROM (
        SELECT id FROM items WHERE status = 'FAILED' AND error_reason = wanted.reason
        ORDER BY error_reason, created_at DESC, id DESC LIMIT %(sample)s
    ) newest
    CROSS JOIN LATERAL (
        SELECT model FROM enrichment_attempts WHERE item_id = newest.id ORDER BY number DESC LIMIT 1
    ) last
    WHERE model IS NOT NULL
) used
WHERE failed.number > 0
ORDER BY failed.number DESC, wanted.reason
"""

# Walks from reason to reason along the index items_failed_reason.
UNKNOWN_REASONS = """
WITH RECURSIVE found (reason) AS (
    (
        SELECT error_reason FROM items WHERE status = 'FAILED' AND error_reason IS NOT NULL
        ORDER BY error_reason, created_at DESC, id DESC LIMIT 1
    )
  UNION ALL
    SELECT next.error_reason FROM found CROSS JOIN LATERAL (
        SELECT error_reason FROM items WHERE status = 'FAILED' AND error_reason > found.reason
        ORDER BY error_reason, created_at DESC, id DESC LIMIT 1
    ) next
)
SELECT reason FROM found WHERE reason <> ALL (%(known)s::text[]) LIMIT %(limit)s
"""

# Of failed items without a reason, and with one of these. The code is NULL if it is none of `codes`.
CODES_OF_UNKNOWN_REASONS = """
SELECT code, count(*), min(updated_at) FROM (
    SELECT updated_at, (
        SELECT code FROM unnest(%(codes)s::text[]) AS code WHERE code = split_part(enrichment_error, ':', 1)
    ) AS code
    FROM (
        (
            SELECT updated_at, enrichment_error FROM items WHERE status = 'FAILED' AND error_reason IS NULL
            ORDER BY error_reason, created_at DESC, id DESC LIMIT %(limit)s
        )
        UNION ALL
        SELECT newest.* FROM unnest(%(reasons)s::text[]) AS wanted (reason)
        CROSS JOIN LATERAL (
            SELECT updated_at, enrichment_error FROM items WHERE status = 'FAILED' AND error_reason = wanted.reason
            ORDER BY error_reason, created_at DESC, id DESC LIMIT %(limit)s
        ) newest
        LIMIT %(limit)s
    ) failed
) coded
GROUP BY code ORDER BY 2 DESC, 1
"""

# Latency is the time from capture to draft, of a sample of each hour. Only first attempts count: an item that was
# retried after a week says nothing about the speed of today.
HOURS = """
SELECT hour, worked.succeeded, worked.others, worked.took, waited.median, waited.slow,
       spent.tokens_in, spent.tokens_out, spent.cost, spent.unpriced
FROM unnest(%(hours)s::timestamptz[]) AS hour
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome = 'SUCCEEDED') AS succeeded,
           count(*) FILTER (WHERE outcome <> 'SUCCEEDED') AS others,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)) AS took
    FROM (
        SELECT outcome, started_at, finished_at FROM enrichment_attempts
        WHERE finished_at >= hour AND finished_at < hour + interval '1 hour' LIMIT %(limit)s
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
    SELECT sum(prompt_tokens)::bigint AS tokens_in, sum(completion_tokens)::bigint AS tokens_out, sum(cost_usd) AS cost,
           coalesce(sum(unpriced), 0)::bigint AS unpriced
    FROM (
        SELECT prompt_tokens, completion_tokens, cost_usd,
               (cost_usd IS NULL AND prompt_tokens + completion_tokens > 0)::int AS unpriced
        FROM enrichment_attempts WHERE finished_at >= hour AND finished_at < hour + interval '1 hour'
        UNION ALL
        SELECT prompt_tokens, completion_tokens, cost_usd, 0
        FROM deleted_usage WHERE start >= hour AND start < hour + interval '1 hour'
    ) usage
) spent
"""

WORKERS = """
SELECT worker, count(*), now() - max(finished_at) FROM (
    SELECT worker, finished_at FROM enrichment_attempts WHERE finished_at > now() - interval '1 hour'
    ORDER BY finished_at DESC LIMIT %(limit)s
) recent
GROUP BY worker ORDER BY max(finished_at) DESC
"""

DAYS = """
SELECT day, spent.tokens_in, spent.tokens_out, spent.cost, spent.unpriced
FROM unnest(%(days)s::timestamptz[]) AS day
CROSS JOIN LATERAL (
    SELECT sum(prompt_tokens)::bigint AS tokens_in, sum(completion_tokens)::bigint AS tokens_out, sum(cost_usd) AS cost,
           coalesce(sum(unpriced), 0)::bigint AS unpriced
    FROM (
        SELECT prompt_tokens, completion_tokens, cost_usd,
               (cost_usd IS NULL AND prompt_tokens + completion_tokens > 0)::int AS unpriced
        FROM enrichment_attempts WHERE finished_at >= day AND finished_at < day + interval '1 day'
        UNION ALL
        SELECT prompt_tokens, completion_tokens, cost_usd, 0
        FROM deleted_usage WHERE start >= day AND start < day + interval '1 day'
    ) usage
) spent
"""


def fetch_all(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def unknown_reasons() -> list[str]:
    """Return the reasons of failed items that this version does not know."""
    rows = fetch_all(UNKNOWN_REASONS, known=[reason.value for reason in Reason], limit=UNKNOWN_REASONS_LIMIT)
    return [reason for (reason,) in rows]


def bounded_count(items: QuerySet[Item]) -> Count:
    unordered = items.order_by()
    number = unordered[: COUNT_LIMIT + 1].count()
    if number <= COUNT_LIMIT:
        return Count(number)
    return Count(max(number, _estimated_rows(unordered)), is_exact=False)


def _estimated_rows(items: QuerySet[Item]) -> int:
    """Ask the planner, which goes by the statistics that autovacuum keeps."""
    (plan,) = json.loads(items.explain(format="json"))
    return int(plan["Plan"]["Plan Rows"])
