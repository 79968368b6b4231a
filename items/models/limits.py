"""The limits of columns, except those of the texts, which are in items/texts.py."""

from datetime import UTC, datetime

ERROR_MAX_LENGTH = 500
ERROR_FORM = r"^[A-Z][A-Z0-9_]{0,39}: ."

# Far above any real value, and far below the range of the column.
COUNTER_MAX = 10_000
TOKEN_MAX = 2**62
TIMES = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
