"""The constraints of the table of items.

Each statement that writes a row makes PostgreSQL read all of them again, which takes about 7 µs for each kB of its
stored form. A call of a function is stored in a few hundred bytes for all its arguments, a comparison in about 500.
"""

from django.db.models import BooleanField, CheckConstraint, Func, IntegerField, Q, Value
from django.db.models.functions import Greatest, Least, Length
from django.db.models.lookups import GreaterThanOrEqual, IsNull, LessThanOrEqual

from items.audit import REQUEST_ID_FORM
from items.models.limits import COUNTER_MAX, ERROR_FORM, RAW_TEXT_BYTES, TIMES, TOKEN_MAX, TRACEPARENT_FORM
from items.states import REDRAFTABLE_STATUSES, EnrichmentMode, SourceType, Status
from items.texts import RAW_TEXT_HIGHEST_LIMIT, TAGS_MAX_COUNT

NUMBER_OF_TAGS = Func("tags", function="cardinality", output_field=IntegerField())
ALL_TIMES = ("created_at", "updated_at", "available_at", "confirmed_at", "claimed_at")
COUNTERS = ("attempt_count", "refund_count")

# In strict mode, a comparison with a key that is missing is neither true nor false, so that the draft does not match.
DRAFT_FORM = """strict $ ? (
    (@.title.type() == "string" || @.title == null)
    && (@.summary.type() == "string" || @.summary == null)
    && (@.sourceType == "NOTE" || @.sourceType == "ARTICLE" || @.sourceType == null)
    && @.tags.type() == "array" && !exists (@.tags[*] ? (@.type() != "string"))
)"""


def _neither_is_nor_was(status: Status) -> Q:
    """Return the condition for items that do not have the status, and that no restore takes back to it."""
    statuses = Func("status", "discarded_from", "redrafted_from", template="ARRAY[%(expressions)s]")
    return Q(IsNull(Func(statuses, Value(status), function="array_position", output_field=IntegerField()), True))


CONSTRAINTS = (
    CheckConstraint(name="items_status_known", condition=Q(status__in=Status.values)),
    CheckConstraint(name="items_mode_known", condition=Q(enrichment_mode__in=EnrichmentMode.values)),
    CheckConstraint(
        name="items_source_type_known", condition=Q(source_type__in=SourceType.values) | Q(source_type=None)
    ),
    # Every update of a row checks this. The number of bytes is known without reading a long text, which is stored apart
    # from its row; the number of characters is not.
    CheckConstraint(
        name="items_raw_text_length",
        condition=Q(GreaterThanOrEqual(RAW_TEXT_BYTES, 1))
        & (
            Q(LessThanOrEqual(RAW_TEXT_BYTES, RAW_TEXT_HIGHEST_LIMIT))
            | Q(LessThanOrEqual(Length("raw_text"), RAW_TEXT_HIGHEST_LIMIT))
        ),
    ),
    CheckConstraint(name="items_tags_count", condition=Q(LessThanOrEqual(NUMBER_OF_TAGS, TAGS_MAX_COUNT))),
    # What a status needs, and a restore to it, so that it cannot fail.
    CheckConstraint(
        name="items_failed_has_error", condition=_neither_is_nor_was(Status.FAILED) | Q(enrichment_error__isnull=False)
    ),
    CheckConstraint(
        name="items_ready_has_result",
        condition=_neither_is_nor_was(Status.READY_TO_CONFIRM)
        | Q(
            GreaterThanOrEqual(NUMBER_OF_TAGS, 1), title__isnull=False, summary__isnull=False, source_type__isnull=False
        ),
    ),
    CheckConstraint(
        name="items_archived_has_confirmed_at",
        condition=_neither_is_nor_was(Status.ARCHIVED) | Q(confirmed_at__isnull=False),
    ),
    CheckConstraint(
        name="items_claimed_is_enriching",
        condition=Q(claimed_by=None, claimed_at=None)
        | Q(claimed_by__isnull=False, claimed_at__isnull=False, status=Status.ENRICHING),
    ),
    # A value that Python cannot read, or that the next claim would overflow, would stop every worker and every list.
    CheckConstraint(
        name="items_counters_in_range",
        condition=Q(GreaterThanOrEqual(Least(*COUNTERS), 0))
        & Q(LessThanOrEqual(Greatest(*COUNTERS), COUNTER_MAX))
        & Q(fencing_token__range=(0, TOKEN_MAX)),
    ),
    # Times that are NULL do not count.
    CheckConstraint(
        name="items_times_in_range",
        condition=Q(GreaterThanOrEqual(Least(*ALL_TIMES), TIMES[0]))
        & Q(LessThanOrEqual(Greatest(*ALL_TIMES), TIMES[1])),
    ),
    CheckConstraint(
        name="items_error_has_code", condition=Q(enrichment_error=None) | Q(enrichment_error__regex=ERROR_FORM)
    ),
    CheckConstraint(name="items_reason_has_error", condition=Q(error_reason=None) | Q(enrichment_error__isnull=False)),
    CheckConstraint(
        name="items_discarded_from_known",
        condition=Q(discarded_from=None)
        | Q(status=Status.DISCARDED, discarded_from__in=[each for each in Status.values if each != Status.DISCARDED]),
    ),
    CheckConstraint(
        name="items_redrafted_from_known",
        condition=Q(redrafted_from=None)
        | Q(
            status__in=[Status.ENRICHING, Status.FAILED, Status.DISCARDED],
            redrafted_from__in=REDRAFTABLE_STATUSES,
        ),
    ),
    # The form that the API documents.
    CheckConstraint(
        name="items_former_draft_form",
        condition=Q(Func("former_draft", Value(DRAFT_FORM), function="jsonb_path_exists", output_field=BooleanField())),
    ),
    # So that a line of a log holds nothing else.
    CheckConstraint(
        name="items_request_id_form",
        condition=Q(request_id=None) | Q(request_id__regex=f"^{REQUEST_ID_FORM}$"),
    ),
    CheckConstraint(
        name="items_traceparent_form", condition=Q(traceparent=None) | Q(traceparent__regex=TRACEPARENT_FORM)
    ),
)
