"""Limits of failed logins in a minute, by name and by address, shared by all web workers.

A password change that fails counts as a failed login, because it requires the old password.

Each login counts before its password is checked, so that concurrent logins count, too, and a successful one is
refunded. Unknown names count like others. The limit of a name is higher than that of an address, so that one address
alone cannot lock a user out.
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
# The prefix that one customer usually gets.
IPV6_PREFIX = 56

# The buckets of throttling.py, by hashed keys, because a user may type a password in place of the name. All statements
# lock in the order of the keys, which prevents deadlocks. `excluded` is the row that would have been inserted: its
# distance from now() is the time that one login takes to drain. clock_timestamp() includes the wait for the lock.
# The commit waits for neither the disk nor a standby, so it does not count as a change that a standby confirmed.
ADMIT = """
    INSERT INTO login_throttles AS bucket (key, drained_at)
    SELECT key, now() + make_interval(secs => each)
    FROM set_config('synchronous_commit', 'off', true),
         unnest(%(keys)s::text[], %(each)s::float8[]) AS wanted (key, each)
    ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET drained_at = greatest(bucket.drained_at, clock_timestamp()) + (excluded.drained_at - now())
    WHERE bucket.drained_at + (excluded.drained_at - now()) <= clock_timestamp() + interval '1 minute'
"""
SECONDS_TO_WAIT = """
    SELECT max(extract(epoch FROM drained_at - clock_timestamp() - interval '1 minute')::float8 + each)
    FROM login_throttles JOIN unnest(%(keys)s::text[], %(each)s::float8[]) AS wanted (key, each) USING (key)
"""
REFUND = """
    WITH ours AS (
        SELECT key, each FROM login_throttles
        JOIN unnest(%(keys)s::text[], %(each)s::float8[]) AS wanted (key, each) USING (key)
        ORDER BY key FOR UPDATE OF login_throttles
    )
    UPDATE login_throttles SET drained_at = drained_at - make_interval(secs => each)
    FROM ours WHERE login_throttles.key = ours.key
"""
# Deletes more rows than one login adds, so that the table holds those of about one minute. Runs in its own
# transaction, and skips locked rows.
DELETE_DRAINED = """
    DELETE FROM login_throttles WHERE key IN (
        SELECT key FROM login_throttles WHERE drained_at < clock_timestamp() LIMIT 10 FOR UPDATE SKIP LOCKED
    )
"""


def typed_name(request: HttpRequest) -> str:
    return request.POST.get("username", "").strip()


def limit_failures(
    login: Callable[[HttpRequest], HttpResponseBase], *, name_of: Callable[[HttpRequest], str] = typed_name
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Wrap a view that checks a password so that it refuses requests beyond the limits without checking it."""

    @wraps(login)
    def login_with_limit(request: HttpRequest) -> HttpResponseBase:
        buckets = _buckets(request, name_of(request)) if request.method == "POST" else {}
        if not buckets:
            return login(request)
        if wait := _seconds_to_wait(buckets):
            return _refusal(request, seconds=ceil(wait))
        response = login(request)
        if response.status_code == HTTPStatus.FOUND:
            _run(REFUND, buckets)
        return response

    return login_with_limit


def _buckets(request: HttpRequest, name: str) -> dict[str, float]:
    """Return by key how many seconds one login takes to drain."""
    # No user name is longer, and normalising takes quadratic time.
    name = name[:NAME_MAX_LENGTH]
    limits = {f"name {unicodedata.normalize('NFKC', name).casefold()}": settings.LOGIN_FAILURES_PER_NAME}
    if network := _network(request):
        limits[f"address {network}"] = settings.LOGIN_FAILURES_PER_ADDRESS
    return {_key(what): 60 / limit for what, limit in limits.items() if limit}


def _key(what: str) -> str:
    return salted_hmac(__name__, what, algorithm="sha256").hexdigest()


def _network(request: HttpRequest) -> str | None:
    """Return the network to count by, or None if the proxy does not pass on the client's address."""
    if settings.PROXIES and "X-Forwarded-For" not in request.headers:
        return None
    ident = BaseThrottle().get_ident(Request(request))
    try:
        address = _address(ident)
    except ValueError:
        return ident
    if isinstance(address, IPv4Address):
        return str(address)
    # A dual-stack socket reports IPv4 addresses as IPv6.
    return str(address.ipv4_mapped or ip_network((address, IPV6_PREFIX), strict=False))


def _address(ident: str) -> IPv4Address | IPv6Address:
    """Parse an address, with or without a port, which some proxies add."""
    try:
        return ip_address(ident)
    except ValueError:
        return ip_address(urlsplit(f"//{ident}").hostname or "")


def _seconds_to_wait(buckets: Mapping[str, float]) -> float:
    """Count a login and return 0, or return the seconds to wait without counting it."""
    _run(DELETE_DRAINED, {})
    with transaction.atomic():
        if _run(ADMIT, buckets) == len(buckets):
            return 0.0
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute(SECONDS_TO_WAIT, _parameters(buckets))
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
