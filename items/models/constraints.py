"""The constraints of the table of items."""

from django.db.models import BooleanField, CheckConstraint, Func, Q, Value
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from items.audit import REQUEST_ID_FORM
from items.models.limits import COUNTER_MAX, ERROR_FORM, RAW_TEXT_BYTES, TIMES, TOKEN_MAX, TRACEPARENT_FORM
from items.states import REDRAFTABLE_STATUSES, EnrichmentMode, SourceType, Status
from items.texts import RAW_TEXT_HIGHEST_LIMIT, TAGS_MAX_COUNT

HAS_ERROR = Q(enrichment_error__isnull=False)
HAS_DRAFT = Q(title__isnull=False, summary__isnull=False, source_type__isnull=False, tags__len__gte=1)
IS_CONFIRMED = Q(confirmed_at__isnull=False)

# In strict mode, a comparison with a key that is missing is neither true nor false, so that the draft does not match.
DRAFT_FORM = """strict $ ? (
    (@.title.type() == "string" || @.title == null)
    && (@.summary.type() == "string" || @.summary == null)
    && (@.sourceType == "NOTE" || @.sourceType == "ARTICLE" || @.sourceType == null)
    && @.tags.type() == "array" && !exists (@.tags[*] ? (@.type() != "string"))
)"""


def _was(status: Status) -> Q:
    """Return the condition for items that a restore takes back to the status."""
    return Q(discarded_from=status) | Q(redrafted_from=status)


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
    CheckConstraint(name="items_tags_count", condition=Q(tags__len__lte=TAGS_MAX_COUNT)),
    CheckConstraint(
        name="items_failed_has_error",
        condition=~Q(status=Status.FAILED) | HAS_ERROR,
    ),
    CheckConstraint(
        name="items_ready_has_result",
        condition=~Q(status=Status.READY_TO_CONFIRM) | HAS_DRAFT,
    ),
    CheckConstraint(
        name="items_archived_has_confirmed_at",
        condition=~Q(status=Status.ARCHIVED) | IS_CONFIRMED,
    ),
    CheckConstraint(
        name="items_claimed_is_enriching",
        condition=Q(claimed_by=None, claimed_at=None)
        | Q(claimed_by__isnull=False, claimed_at__isnull=False, status=Status.ENRICHING),
    ),
    # A value that Python cannot read, or that the next claim would overflow, would stop every worker and every list.
    CheckConstraint(
        name="items_counters_in_range",
        condition=Q(
            attempt_count__range=(0, COUNTER_MAX),
            refund_count__range=(0, COUNTER_MAX),
            fencing_token__range=(0, TOKEN_MAX),
        ),
    ),
    CheckConstraint(
        name="items_times_in_range",
        condition=Q(
            created_at__range=TIMES,
            updated_at__range=TIMES,
            available_at__range=TIMES,
        )
        & (Q(confirmed_at=None) | Q(confirmed_at__range=TIMES))
        & (Q(claimed_at=None) | Q(claimed_at__range=TIMES)),
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
    # What a restore needs, so that it cannot fail.
    CheckConstraint(
        name="items_restore_has_columns",
        condition=(~_was(Status.FAILED) | HAS_ERROR)
        & (~_was(Status.READY_TO_CONFIRM) | HAS_DRAFT)
        & (~_was(Status.ARCHIVED) | IS_CONFIRMED),
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
