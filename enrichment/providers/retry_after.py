"""Reads from a response when its provider accepts the next request.

In this order: `retry-after-ms`, `Retry-After`, the RetryInfo of Google's error bodies, and the resets of rate limits.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 3600.0
MAX_BODY_BYTES = 100_000
# Higher numbers are times since 1970: in seconds up to the second bound, then in milliseconds.
MIN_EPOCH_SECONDS, MAX_EPOCH_SECONDS = 1e8, 1e11

RESET = re.compile(r"(?:x-|anthropic-)?ratelimit-(?:[a-z-]+-)?reset(?:-[a-z-]+)?")
RETRY_INFO = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d{1,9})?)s"')
NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"
# As in 1d2h, 6m0s, 1.5s and 20ms.
DURATION = re.compile(rf"(?=.)(?:{NUMBER}d)?(?:{NUMBER}h)?(?:{NUMBER}m(?!s))?(?:{NUMBER}s)?(?:{NUMBER}ms)?")
UNIT_SECONDS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


def retry_after_of(response: object) -> float | None:
    """Return the seconds to wait, at most MAX_RETRY_AFTER_SECONDS, or None if the response does not say."""
    headers = getattr(response, "headers", None)
    fields = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    for seconds in (
        seconds_of(fields.get("retry-after-ms", "") + "ms"),
        seconds_of(fields.get("retry-after", "")),
        _retry_info(response),
        _reset(fields),
    ):
        if seconds is not None:
            return seconds
    return None


def seconds_of(value: str) -> float | None:
    """Return the seconds of a number, a duration or a date, or None if the value is none of them."""
    for read in (float, _duration, _seconds_until_date):
        with suppress(ValueError, OverflowError):
            return _bounded(read(value))
    return None


def _retry_info(response: object) -> float | None:
    try:
        content = getattr(response, "content", b"")
    except RuntimeError:  # httpx has not read the body
        return None
    found = RETRY_INFO.search(content[:MAX_BODY_BYTES]) if isinstance(content, bytes) else None
    return _bounded(float(found[1])) if found else None


def _reset(fields: Mapping[str, str]) -> float | None:
    """Return the last reset of the limits that are used up, or the first of all if none is known to be."""
    resets = {name: seconds for name in fields if RESET.fullmatch(name) and (seconds := _reset_seconds(fields[name]))}
    used_up = [resets[name] for name in resets if fields.get(name.replace("reset", "remaining")) == "0"]
    return max(used_up) if used_up else min(resets.values(), default=None)


def _reset_seconds(value: str) -> float | None:
    """Read a time since 1970, too."""
    with suppress(ValueError):
        number = float(value)
        if number >= MIN_EPOCH_SECONDS:
            epoch_seconds = number if number < MAX_EPOCH_SECONDS else number / 1000
            return _bounded(epoch_seconds - datetime.now(UTC).timestamp())
    return seconds_of(value)


def _duration(value: str) -> float:
    if found := DURATION.fullmatch(value):
        return sum(float(part or 0) * unit for part, unit in zip(found.groups(), UNIT_SECONDS, strict=True))
    raise ValueError


def _seconds_until_date(value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = parsedate_to_datetime(value)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _bounded(seconds: float) -> float:
    if math.isnan(seconds):
        raise ValueError
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
