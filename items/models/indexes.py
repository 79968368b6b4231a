"""The indexes of the table of items: one for each frequent query, and no others."""

from django.db.models import F, Index, Q

from items.models.limits import IS_LONG
from items.states import PENDING_STATUSES, Status

INDEXES = (
    Index(F("created_at").desc(), F("id").desc(), name="items_newest"),
    Index("owner", F("created_at").desc(), F("id").desc(), name="items_owner_newest"),
    Index(
        "owner",
        F("created_at").desc(),
        F("id").desc(),
        name="items_owner_pending",
        condition=Q(status__in=PENDING_STATUSES),
    ),
    # For the lists of the admin. The filter by error code reads the code from the index.
    Index(
        fields=("-created_at", "-id"),
        include=("enrichment_error",),
        name="items_failed",
        condition=Q(status=Status.FAILED),
    ),
    # For failures by reason: their numbers and times are read from the index alone.
    Index(
        fields=("error_reason", "-created_at", "-id"),
        include=("updated_at",),
        name="items_failed_reason",
        condition=Q(status=Status.FAILED),
    ),
    Index(fields=("-created_at", "-id"), name="items_ready", condition=Q(status=Status.READY_TO_CONFIRM)),
    Index(fields=("-created_at", "-id"), name="items_discarded", condition=Q(status=Status.DISCARDED)),
    # For the claim, which goes from owner to owner, and for the next item that becomes due.
    Index("owner", "available_at", "id", name="items_claim", condition=Q(status=Status.ENRICHING)),
    Index("available_at", "id", name="items_due", condition=Q(status=Status.ENRICHING)),
    # For searches, which read fewer long texts at a time.
    Index("owner", F("created_at").desc(), F("id").desc(), name="items_owner_long", condition=IS_LONG),
    # For items.vocabulary.
    Index(
        "owner",
        F("confirmed_at").desc(),
        name="items_vocabulary",
        condition=Q(status=Status.ARCHIVED) & ~Q(tags=[]),
    ),
    # For items.changes.
    Index("owner", "updated_at", name="items_owner_changed"),
)
