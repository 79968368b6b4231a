"""Write constraints shorter, because each statement that writes a row makes PostgreSQL read all of them again.

What a restore needs is checked together with what the status needs.
"""

from datetime import UTC, datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations
from django.db.models import CheckConstraint, Func, IntegerField, Q, Value
from django.db.models.functions import Greatest, Least
from django.db.models.lookups import GreaterThanOrEqual, IsNull, LessThanOrEqual

NUMBER_OF_TAGS = Func("tags", function="cardinality", output_field=IntegerField())
TIMES = ("created_at", "updated_at", "available_at", "confirmed_at", "claimed_at")
COUNTERS = ("attempt_count", "refund_count")


def neither_is_nor_was(status: str) -> Q:
    statuses = Func("status", "discarded_from", "redrafted_from", template="ARRAY[%(expressions)s]")
    return Q(IsNull(Func(statuses, Value(status), function="array_position", output_field=IntegerField()), True))


CONSTRAINTS = {
    "items_tags_count": Q(LessThanOrEqual(NUMBER_OF_TAGS, 20)),
    "items_failed_has_error": neither_is_nor_was("FAILED") | Q(enrichment_error__isnull=False),
    "items_ready_has_result": neither_is_nor_was("READY_TO_CONFIRM")
    | Q(GreaterThanOrEqual(NUMBER_OF_TAGS, 1), title__isnull=False, summary__isnull=False, source_type__isnull=False),
    "items_archived_has_confirmed_at": neither_is_nor_was("ARCHIVED") | Q(confirmed_at__isnull=False),
    "items_counters_in_range": Q(GreaterThanOrEqual(Least(*COUNTERS), 0))
    & Q(LessThanOrEqual(Greatest(*COUNTERS), 10_000))
    & Q(fencing_token__range=(0, 2**62)),
    "items_times_in_range": Q(GreaterThanOrEqual(Least(*TIMES), datetime(1970, 1, 1, tzinfo=UTC)))
    & Q(LessThanOrEqual(Greatest(*TIMES), datetime(9000, 1, 1, tzinfo=UTC))),
}


class Migration(migrations.Migration):
    dependencies = [("items", "0023_request_ids_of_retries")]

    operations = [
        migrations.RemoveConstraint("item", "items_restore_has_columns"),
        *(migrations.RemoveConstraint("item", name) for name in CONSTRAINTS),
        # The next migration validates them, because that reads the whole table.
        *(
            AddConstraintNotValid("item", CheckConstraint(name=name, condition=condition))
            for name, condition in CONSTRAINTS.items()
        ),
    ]
