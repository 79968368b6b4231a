"""The limit of API requests per user and minute, counted in the database for all web servers."""

from collections.abc import Mapping

from django.conf import settings
from django.db import Error, connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from postgres.sqlstates import drop_read_only_connection

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
SECONDS_TO_WAIT = """
    SELECT extract(epoch FROM drained_at - clock_timestamp() - interval '1 minute')::float8 + %(each)s
    FROM api_throttles WHERE user_id = %(user_id)s
"""


class UserThrottle(BaseThrottle):
    """Allows a burst of one minute's allowance, which then refills continuously."""

    _wait = 0.0

    def allow_request(self, request: Request, _view: object) -> bool:
        per_minute = settings.THROTTLE_PER_MINUTE
        if not per_minute or request.user.pk is None:
            return True
        bucket = {"user_id": request.user.pk, "each": 60 / per_minute}
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
