"""The limits of columns, except those of the texts, which are in items/texts.py."""

from datetime import UTC, datetime

from django.db.models import Func, IntegerField, Q
from django.db.models.lookups import GreaterThan

RAW_TEXT_BYTES = Func("raw_text", function="octet_length", output_field=IntegerField())
"""The size of a text, which PostgreSQL knows without reading it."""

IS_LONG = Q(GreaterThan(RAW_TEXT_BYTES, 16_384))

ERROR_MAX_LENGTH = 500
REASON_MAX_LENGTH = 40
ERROR_FORM = r"^[A-Z][A-Z0-9_]{0,39}: ."
TRACEPARENT_FORM = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
TRACEPARENT_LENGTH = 55

# Far above any real value, and far below the range of the column.
COUNTER_MAX = 10_000
TOKEN_MAX = 2**62
TIMES = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
