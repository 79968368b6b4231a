"""What a row may hold besides the texts of its owner, whose limits are in items/texts.py."""

from datetime import UTC, datetime

ERROR_MAX_LENGTH = 500
MANUAL_TITLE_LENGTH = 60
ERROR_FORM = r"^[A-Z][A-Z0-9_]{0,39}: ."

# Far beyond use, and far from where arithmetic ends.
COUNTER_MAX = 10_000
TOKEN_MAX = 2**62
TIMES = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
