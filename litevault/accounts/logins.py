"""How many logins may fail in a minute, for one name and from one address, whichever web worker is asked.

Each login counts before the password is looked at, so that many at once are counted, too; one that is right is given
back. A name counts alike whether it exists or not. A name may fail more often than an address: one address alone cannot
use up what a name has, and keep its owner out.
"""

import unicodedata
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from litevault.web.error_middleware import error_response
from litevault.web.errors import Problem

logger = structlog.get_logger(__name__)

NAME_MAX_LENGTH = 150
# What one customer usually gets.
IPV6_PREFIX = 56

# The buckets of throttling.py, by keys that say nothing: somebody may type a password in place of the name. The order
# of the keys is everybody's, so that no two logins wait for each other in a circle. `excluded` is what would have been
# inserted: its distance from now() is what one login takes to drain. Who waited for the row looks at the clock again.
ADMIT = """
    INSERT INTO login_throttles AS bucket (key, drained_at)
    SELECT key, now() + make_interval(secs => each)
    FROM unnest(%(keys)s::text[], %(each)s::float8[]) AS wanted (key, each) ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET drained_at = greatest(bucket.drained_at, clock_timestamp()) + (excluded.drained_at - now())
    WHERE bucket.drained_at + (excluded.drained_at - now()) <= clock_timestamp() + interval '1 minute'
"""
TOO_EARLY_BY = """
    SELECT max(extract(epoch FROM drained_at - clock_timestamp() - interval '1 minute')::float8 + each)
    FROM login_throttles JOIN unnest(%(keys)s::text[], %(each)s::float8[]) AS wanted (key, each) USING (key)
"""
GIVE_BACK = """
    WITH ours AS (
        SELECT key, each FROM login_throttles
        JOIN unnest(%(keys)s::text[], %(each)s::float8[]) AS wanted (key, each) USING (key)
        ORDER BY key FOR UPDATE OF login_throttles
    )
    UPDATE login_throttles SET drained_at = drained_at - make_interval(secs => each)
    FROM ours WHERE login_throttles.key = ours.key
"""
# More at each login than it can have added, so that the table holds what one minute brought and no more. In a
# transaction of its own, and it waits for nobody.
FORGET_SOME = """
    DELETE FROM login_throttles WHERE key IN (
        SELECT key FROM login_throttles WHERE drained_at < clock_timestamp() LIMIT 10 FOR UPDATE SKIP LOCKED
    )
"""


def limited(login: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A login page that refuses to look at more passwords than may be wrong."""

    @wraps(login)
    def limited_login(request: HttpRequest) -> HttpResponseBase:
        buckets = _buckets(request) if request.method == "POST" else {}
        if not buckets:
            return login(request)
        if wait := _too_early_by(buckets):
            return _refusal(request, seconds=ceil(wait))
        response = login(request)
        if response.status_code == HTTPStatus.FOUND:
            _run(GIVE_BACK, buckets)
        return response

    return limited_login


def _buckets(request: HttpRequest) -> dict[str, float]:
    """By key, how many seconds one login takes to drain."""
    # No user's name is longer, and normalising a text takes time by the square of its length.
    name = request.POST.get("username", "").strip()[:NAME_MAX_LENGTH]
    limits = {f"name {unicodedata.normalize('NFKC', name).casefold()}": settings.LOGIN_FAILURES_PER_NAME}
    if network := _network(request):
        limits[f"address {network}"] = settings.LOGIN_FAILURES_PER_ADDRESS
    return {_key(what): 60 / limit for what, limit in limits.items() if limit}


def _key(what: str) -> str:
    return salted_hmac(__name__, what, algorithm="sha256").hexdigest()


def _network(request: HttpRequest) -> str | None:
    """Whom we count as one. None where the proxy does not say: all who come through it would be one."""
    if settings.PROXIES and "X-Forwarded-For" not in request.headers:
        return None
    named = BaseThrottle().get_ident(Request(request))
    try:
        address = _address(named)
    except ValueError:
        return named
    if isinstance(address, IPv4Address):
        return str(address)
    # A socket for both versions writes addresses of IPv4 as such of IPv6.
    return str(address.ipv4_mapped or ip_network((address, IPV6_PREFIX), strict=False))


def _address(named: str) -> IPv4Address | IPv6Address:
    """Some proxies add the client's port."""
    try:
        return ip_address(named)
    except ValueError:
        return ip_address(urlsplit(f"//{named}").hostname or "")


def _too_early_by(buckets: Mapping[str, float]) -> float:
    """Seconds until a login would be taken; 0 for one that was. One that is refused counts for neither."""
    _run(FORGET_SOME, {})
    with transaction.atomic():
        if _run(ADMIT, buckets) == len(buckets):
            return 0.0
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute(TOO_EARLY_BY, _parameters(buckets))
        (wait,) = cursor.fetchone()
    return max(wait or 0.0, 1.0)


def _run(statement: str, buckets: Mapping[str, float]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(buckets))
        return int(cursor.rowcount)


def _parameters(buckets: Mapping[str, float]) -> dict[str, list[str] | list[float]]:
    return {"keys": list(buckets), "each": list(buckets.values())}


def _refusal(request: HttpRequest, *, seconds: int) -> HttpResponse:
    logger.warning("login.refused", retry_after_s=seconds)
    plural = "" if seconds == 1 else "s"
    problem = Problem.known(
        HTTPStatus.TOO_MANY_REQUESTS,
        message=f"Too many logins failed. Try again in {seconds} second{plural}.",
        headers={"Retry-After": str(seconds)},
    )
    return error_response(request, problem)
