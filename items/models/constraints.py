"""The constraints of the table of items."""

from django.db.models import CheckConstraint, Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from items.audit import REQUEST_ID_FORM
from items.models.limits import COUNTER_MAX, ERROR_FORM, RAW_TEXT_BYTES, TIMES, TOKEN_MAX, TRACEPARENT_FORM
from items.states import REDRAFTABLE_STATUSES, EnrichmentMode, SourceType, Status
from items.texts import RAW_TEXT_HIGHEST_LIMIT, TAGS_MAX_COUNT

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
        condition=~Q(status=Status.FAILED) | Q(enrichment_error__isnull=False),
    ),
    CheckConstraint(
        name="items_ready_has_result",
        condition=~Q(status=Status.READY_TO_CONFIRM)
        | Q(title__isnull=False, summary__isnull=False, source_type__isnull=False, tags__len__gte=1),
    ),
    CheckConstraint(
        name="items_archived_has_confirmed_at",
        condition=~Q(status=Status.ARCHIVED) | Q(confirmed_at__isnull=False),
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
    # So that a line of a log holds nothing else.
    CheckConstraint(
        name="items_request_id_form",
        condition=Q(request_id=None) | Q(request_id__regex=f"^{REQUEST_ID_FORM}$"),
    ),
    CheckConstraint(
        name="items_traceparent_form", condition=Q(traceparent=None) | Q(traceparent__regex=TRACEPARENT_FORM)
    ),
)
