"""The transitions of many items at once, as conditions and expressions."""

from django.db.models import Case, CharField, F, Q, Value, When

from items.states import Action, EnrichmentMode, Status, statuses_allowing

CONDITIONS = {
    Action.REDRAFT: ~Q(status=Status.ARCHIVED) | Q(enrichment_mode=EnrichmentMode.MANUAL),
    Action.RESTORE: ~Q(status=Status.FAILED) | Q(redrafted_from__isnull=False),
}
"""The conditions of allowed_actions in items/states.py."""


def allowing(action: Action) -> Q:
    """Return the condition for items that allow the action."""
    return Q(status__in=statuses_allowing(action)) & CONDITIONS.get(action, Q())


# The last four lines are for items whose status before the discard is not known: an earlier version discarded them, or
# they were imported as discarded.
FORMER_STATUS = Case(
    When(status=Status.FAILED, then=F("redrafted_from")),
    When(discarded_from__isnull=False, then=F("discarded_from")),
    When(enrichment_error__isnull=False, then=Value(Status.FAILED)),
    When(confirmed_at__isnull=False, then=Value(Status.ARCHIVED)),
    When(
        ~Q(tags=[]),
        title__isnull=False,
        summary__isnull=False,
        source_type__isnull=False,
        then=Value(Status.READY_TO_CONFIRM),
    ),
    default=Value(Status.ENRICHING),
    output_field=CharField(),
)
"""The status to which a restore leads."""
