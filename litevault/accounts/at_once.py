"""The limit of requests that a web worker handles at once for one user."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

HEAVY = 4
"""How many requests a search counts as, and the list of tags: they read thousands of items."""

AT_ONCE_SECONDS = 1.0
"""Retry-After for a client with too many concurrent requests."""

ADMITTED = "_admitted"
"""The attribute of a request for what UserThrottle began."""

Credentials = tuple[str | None, str | None]
"""The Authorization header and the cookie of the session."""


@dataclass(slots=True, eq=False)
class Admitted:
    """A request that counts among those at once."""

    user_id: int
    weight: int
    credentials: Credentials
    begun_at: float = 0.0
    """When it had waited for its turn, which is not charged."""


class RequestsAtOnce:
    """Counts the requests of each user that this process handles now.

    Heavy ones wait for one another: with the default, one runs and one waits. So the searches of a user keep at most
    one core of the database busy.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._admitted: set[Admitted] = set()
        self._heavy: set[Admitted] = set()

    def enter(self, request: Admitted) -> bool:
        """Return False for a request beyond the limit, and for a heavy one that has waited for long."""
        with self._changed:
            if _weight(self._admitted, request.user_id) + request.weight > settings.REQUESTS_AT_ONCE:
                return False
            self._admitted.add(request)
            if request.weight == HEAVY:
                if not self._changed.wait_for(lambda: self._may_run(request), settings.STATEMENT_SECONDS):
                    self._admitted.remove(request)
                    return False
                self._heavy.add(request)
            request.begun_at = time.monotonic()
            return True

    def leave(self, request: Admitted) -> None:
        with self._changed:
            self._admitted.remove(request)
            self._heavy.discard(request)
            self._changed.notify_all()

    def is_exhausted(self, credentials: Credentials) -> bool:
        """Return whether a request with these credentials is handled whose user may not send another now."""
        if not any(credentials):
            return False
        with self._changed:
            users = {request.user_id for request in self._admitted if request.credentials == credentials}
            return any(_weight(self._admitted, user_id) >= settings.REQUESTS_AT_ONCE for user_id in users)

    def _may_run(self, request: Admitted) -> bool:
        return _weight(self._heavy, request.user_id) + HEAVY <= max(HEAVY, settings.REQUESTS_AT_ONCE // 2)


def _weight(requests: Iterable[Admitted], user_id: int) -> int:
    return sum(request.weight for request in requests if request.user_id == user_id)


AT_ONCE = RequestsAtOnce()


def credentials_of(request: HttpRequest) -> Credentials:
    return request.META.get("HTTP_AUTHORIZATION"), request.COOKIES.get(settings.SESSION_COOKIE_NAME)
