"""How long, how many, how far: what a row may hold."""

from datetime import UTC, datetime

RAW_TEXT_MAX_LENGTH = 10_000
TITLE_MAX_LENGTH = 100
SUMMARY_MAX_LENGTH = 500
ERROR_MAX_LENGTH = 500
TAG_MAX_LENGTH = 50
TAGS_MAX_COUNT = 20
MANUAL_TITLE_LENGTH = 60
ERROR_FORM = r"^[A-Z][A-Z0-9_]{0,39}: ."

# Far beyond use, and far from where arithmetic ends.
COUNTER_MAX = 10_000
TOKEN_MAX = 2**62
TIMES = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
