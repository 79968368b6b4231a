"""What items are found by: an index for each question that is asked often, and no more."""

from django.db.models import F, Index, Q

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
    # The lists of the admin. Its filter by error code reads the code from the index.
    Index(
        fields=("-created_at", "-id"),
        include=("enrichment_error",),
        name="items_failed",
        condition=Q(status=Status.FAILED),
    ),
    Index(fields=("-created_at", "-id"), name="items_ready", condition=Q(status=Status.READY_TO_CONFIRM)),
    Index(fields=("-created_at", "-id"), name="items_discarded", condition=Q(status=Status.DISCARDED)),
    # The fair claim walks from owner to owner; the sweep looks for the next item due.
    Index("owner", "available_at", "id", name="items_claim", condition=Q(status=Status.ENRICHING)),
    Index("available_at", "id", name="items_due", condition=Q(status=Status.ENRICHING)),
    # The newest tags that an owner confirmed: items.vocabulary.
    Index(
        "owner",
        F("confirmed_at").desc(),
        name="items_vocabulary",
        condition=Q(status=Status.ARCHIVED) & ~Q(tags=[]),
    ),
    # What changed for an owner since: items.changes.
    Index("owner", "updated_at", name="items_owner_changed"),
)
