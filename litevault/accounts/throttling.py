"""The limits of API requests per user: by the minute for all web servers, and at once for each worker."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from postgres.sqlstates import drop_read_only_connection

HEAVY = 4
"""How many requests a search counts as, and the list of tags: they read thousands of items."""

CHARGED_SECONDS = 0.1
MOST_CHARGED = 20
"""A heavy request that takes longer than HEAVY times CHARGED_SECONDS counts as more, but never as more than this."""

AT_ONCE_SECONDS = 1.0
"""How long a client is asked to wait that sends too many requests at once."""

ADMITTED = "_admitted"
"""The attribute of a request that counts among those at once: its user and its weight."""

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


class RequestsAtOnce:
    """Counts the requests of each user that this process handles now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[int] = Counter()

    def enter(self, user_id: int, weight: int) -> bool:
        with self._lock:
            if self._counts[user_id] + weight > settings.REQUESTS_AT_ONCE:
                return False
            self._counts[user_id] += weight
            return True

    def leave(self, user_id: int, weight: int) -> None:
        with self._lock:
            self._counts[user_id] -= weight
            if not self._counts[user_id]:
                del self._counts[user_id]


AT_ONCE = RequestsAtOnce()


class FairnessMiddleware:
    """Ends what UserThrottle began, once the response is rendered, and charges for the time that it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun_at = time.monotonic()
        setattr(request, ADMITTED, None)
        try:
            return self.get_response(request)
        finally:
            if admitted := getattr(request, ADMITTED):
                user_id, weight = admitted
                AT_ONCE.leave(user_id, weight)
                if weight == HEAVY:
                    _charge(user_id, time.monotonic() - begun_at)


def _charge(user_id: int, seconds: float) -> None:
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
            if not AT_ONCE.enter(request.user.pk, weight):
                self._wait = AT_ONCE_SECONDS
                return False
            setattr(request._request, ADMITTED, (request.user.pk, weight))
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
