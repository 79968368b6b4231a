"""Pauses of enrichment: whose items wait, because a budget is spent or staff paused them.

items_claim() skips these owners, and pages, metrics and checks read the pauses. Calls in flight finish.
"""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from items.audit import attributed
from items.models import EnrichmentPause
from items.models.enrichment_pause import PauseReason

ALL_OWNERS = 0
"""Stands for all owners in a pause. No user has this id."""

MAY_PAUSE = "items.pause_enrichment"
"""The permission of staff to pause and resume."""

IN_FORCE = Q(until=None) | Q(until__gt=Now())
PAUSES = """
SELECT reason, count(*) FILTER (WHERE owner_id = 0), count(*) FILTER (WHERE owner_id <> 0), min(since), max(until)
FROM enrichment_pauses WHERE until IS NULL OR until > now() GROUP BY reason
"""
# Waits for the claims that began before: see items_claim() in sql/claim.sql.
EXCLUDE_CLAIMS = "SELECT pg_advisory_xact_lock('enrichment_pauses'::regclass::oid::bigint)"


class Connection(Protocol):
    """A connection of Django or psycopg."""

    def cursor(self) -> Any: ...


class Pauses(NamedTuple):
    """The pauses in force for one reason: 1 or 0 for all owners, and the number of single owners."""

    of_all: int = 0
    of_owners: int = 0
    since: datetime | None = None
    until: datetime | None = None

    @property
    def owners(self) -> str:
        """Who has to wait, as part of a sentence; empty if everyone may go on."""
        if self.of_all:
            return "all owners"
        return f"{self.of_owners:,} owner{'' if self.of_owners == 1 else 's'}" if self.of_owners else ""


def read_pauses(connection: Connection) -> dict[PauseReason, Pauses]:
    """Leave out reasons of a newer version, which may run beside this one during an upgrade."""
    with connection.cursor() as cursor:
        cursor.execute(PAUSES)
        found = {reason: Pauses(*numbers) for reason, *numbers in cursor.fetchall()}
    return {reason: found.get(reason.value, Pauses()) for reason in PauseReason}


def pause_of(owner_id: int) -> EnrichmentPause | None:
    """Return what the items of the owner wait for: of several pauses the one that ends last."""
    pauses = EnrichmentPause.objects.filter(IN_FORCE, owner_id__in=(ALL_OWNERS, owner_id))
    return pauses.order_by("-until", "owner_id").first()  # PostgreSQL sorts NULL, no end, first


def staff_pause(owner_id: int = ALL_OWNERS) -> EnrichmentPause | None:
    """Return the pause by staff of just this owner, or the one of all owners."""
    return EnrichmentPause.objects.filter(owner_id=owner_id, reason=PauseReason.STAFF).first()


def pause_enrichment(owner_id: int = ALL_OWNERS) -> None:
    """Stop claiming items of the owner. None is claimed after this returns."""
    with attributed(), connection.cursor() as cursor:
        cursor.execute(EXCLUDE_CLAIMS)
        EnrichmentPause.objects.get_or_create(owner_id=owner_id, reason=PauseReason.STAFF)


def resume_enrichment(owner_id: int = ALL_OWNERS) -> None:
    """Remove the pause by staff, which wakes the workers."""
    with attributed():
        EnrichmentPause.objects.filter(owner_id=owner_id, reason=PauseReason.STAFF).delete()
