"""The limits of API requests per user: by the minute for all web servers, and at once for each worker."""

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
    SELECT {user_id}, clock_timestamp() + make_interval(secs => %(each)s)
    FROM set_config('synchronous_commit', 'off', true){source}
    ON CONFLICT (user_id) DO UPDATE
    SET drained_at = greatest(bucket.drained_at, clock_timestamp()) + make_interval(secs => %(each)s)
    WHERE bucket.drained_at + make_interval(secs => %(each)s) <= clock_timestamp() + interval '1 minute'
"""
ADMIT_USER = ADMIT.format(user_id="%(user_id)s", source="")
# The bucket may go beyond a minute, because the request has been served already. Negative seconds are given back.
CHARGE = """
    UPDATE api_throttles
    SET drained_at = greatest(drained_at, clock_timestamp()) + make_interval(secs => %(seconds)s)
    FROM set_config('synchronous_commit', 'off', true)
    WHERE user_id = %(user_id)s
"""
SECONDS_TO_WAIT = """
    SELECT extract(epoch FROM drained_at - clock_timestamp() - interval '1 minute')::float8 + %(each)s
    FROM api_throttles WHERE user_id = %(user_id)s
"""


def weight_of(request: Request, view: object) -> int:
    return HEAVY if "q" in request.query_params or getattr(view, "is_heavy", False) else 1


def seconds_of(weight: int) -> float:
    """Return what a request adds to the bucket. The allowance of a minute is enough for any, however small it is."""
    per_minute = settings.THROTTLE_PER_MINUTE
    return min(weight, per_minute) * 60 / per_minute


def charge(user_id: int, seconds: float) -> None:
    requests = min(MOST_CHARGED, int(seconds / CHARGED_SECONDS)) - HEAVY
    if requests > 0 and settings.THROTTLE_PER_MINUTE:
        _charge(user_id, requests * 60 / settings.THROTTLE_PER_MINUTE)


def _charge(user_id: int, seconds: float) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(CHARGE, {"user_id": user_id, "seconds": seconds})
    except Error as error:
        # The response is ready. A database that failed meanwhile counts nothing.
        drop_read_only_connection(error)


class UserThrottle(BaseThrottle):
    """Allows a burst of one minute's allowance, which then refills continuously, and so many requests at once."""

    _wait = 0.0

    def allow_request(self, request: Request, view: object) -> bool:
        if request.user.pk is None:
            return True
        weight = weight_of(request, view)
        # A statement may have admitted the request already, which is one less.
        is_admitted: bool | None = getattr(request.auth, "is_admitted", None)
        # FairnessMiddleware sets the attribute, and takes the request out again.
        if is_admitted is not False and hasattr(request._request, ADMITTED):
            admitted = Admitted(request.user.pk, weight, credentials_of(request._request))
            if not AT_ONCE.enter(admitted):
                if is_admitted:
                    _charge(request.user.pk, -seconds_of(weight))
                self._wait = AT_ONCE_SECONDS
                return False
            setattr(request._request, ADMITTED, admitted)
        if is_admitted or not settings.THROTTLE_PER_MINUTE:
            return True
        bucket = {"user_id": request.user.pk, "each": seconds_of(weight)}
        try:
            with connection.cursor() as cursor:
                if is_admitted is None:
                    cursor.execute(ADMIT_USER, bucket)
                    if cursor.rowcount:
                        return True
                cursor.execute(SECONDS_TO_WAIT, bucket)
                (self._wait,) = cursor.fetchone()
        except Error as error:
            # A read-only database refuses every change, so that only reads get further.
            if drop_read_only_connection(error):
                return True
            raise
        return False

    def wait(self) -> float:
        """Return the seconds until the next request is allowed: at least one, although the bucket drained meanwhile."""
        return max(self._wait, 1.0)
