"""The limits of API requests per user: by the minute for all web servers, and at once for each worker."""

from collections.abc import Mapping

from django.conf import settings
from django.db import Error, connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from litevault.accounts.at_once import ADMITTED, AT_ONCE, AT_ONCE_SECONDS, HEAVY, Admitted, credentials_of
from postgres.sqlstates import drop_read_only_connection

CHARGED_SECONDS = 0.1
MOST_CHARGED = 20
"""A heavy request that takes longer than HEAVY times CHARGED_SECONDS counts as more, but never as more than this."""

# Each request delays the time at which the bucket is empty, but not beyond a minute from now.
# A refused request is not counted, so that a client which keeps trying is not locked out for ever.
# The commit waits for neither the disk nor a standby, so that reads do not.
ADMIT = """
    INSERT INTO api_throttles AS bucket (user_id, drained_at)
    SELECT %(user_id)s, clock_timestamp() + make_interval(secs => %(each)s)
    FROM set_config('synchronous_commit', 'off', true)
    ON CONFLICT (user_id) DO UPDATE
    SET drained_at = greatest(bucket.drained_at, clock_timestamp()) + make_interval(secs => %(each)s)
    WHERE bucket.drained_at + make_interval(secs => %(each)s) <= clock_timestamp() + interval '1 minute'
"""
# The bucket may go beyond a minute, because the request has been served already.
CHARGE = """
    UPDATE api_throttles
    SET drained_at = greatest(drained_at, clock_timestamp()) + make_interval(secs => %(each)s * %(requests)s)
    FROM set_config('synchronous_commit', 'off', true)
    WHERE user_id = %(user_id)s
"""
SECONDS_TO_WAIT = """
    SELECT extract(epoch FROM drained_at - clock_timestamp() - interval '1 minute')::float8 + %(each)s
    FROM api_throttles WHERE user_id = %(user_id)s
"""


def _is_heavy(request: Request, view: object) -> bool:
    return "q" in request.query_params or getattr(view, "is_heavy", False)


def charge(user_id: int, seconds: float) -> None:
    requests = min(MOST_CHARGED, int(seconds / CHARGED_SECONDS)) - HEAVY
    if requests <= 0 or not settings.THROTTLE_PER_MINUTE:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                CHARGE, {"user_id": user_id, "each": 60 / settings.THROTTLE_PER_MINUTE, "requests": requests}
            )
    except Error as error:
        # The response is ready. A database that failed meanwhile counts nothing.
        drop_read_only_connection(error)


class UserThrottle(BaseThrottle):
    """Allows a burst of one minute's allowance, which then refills continuously, and so many requests at once."""

    _wait = 0.0

    def allow_request(self, request: Request, view: object) -> bool:
        if request.user.pk is None:
            return True
        weight = HEAVY if _is_heavy(request, view) else 1
        if hasattr(request._request, ADMITTED):  # not in the events process, which has limits of its own
            admitted = Admitted(request.user.pk, weight, credentials_of(request._request))
            if not AT_ONCE.enter(admitted):
                self._wait = AT_ONCE_SECONDS
                return False
            setattr(request._request, ADMITTED, admitted)
        per_minute = settings.THROTTLE_PER_MINUTE
        if not per_minute:
            return True
        # The allowance of a minute is enough for any request, however small it is.
        bucket = {"user_id": request.user.pk, "each": min(weight, per_minute) * 60 / per_minute}
        try:
            return self._is_admitted(bucket)
        except Error as error:
            # A read-only database refuses every change, so that only reads get further.
            if drop_read_only_connection(error):
                return True
            raise

    def _is_admitted(self, bucket: Mapping[str, float]) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(ADMIT, bucket)
            if cursor.rowcount:
                return True
            cursor.execute(SECONDS_TO_WAIT, bucket)
            (self._wait,) = cursor.fetchone()
        return False

    def wait(self) -> float:
        """Return the seconds until the next request is allowed."""
        return max(self._wait, 0.0)
