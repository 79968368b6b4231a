"""How many requests the web server answers, with which class of status, and how long they take."""

import os
import time
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from litevault.web.request_id import QUIET_PATHS
from litevault.web.worker_folder import FOLDER_VARIABLE

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER_METHOD = "other"
UNMATCHED = "unmatched"
"""The route of requests that no view of ours answers: unknown URLs, static files and refused hosts."""

REGISTRY = CollectorRegistry()
requests = Counter(
    "litevault_http_requests",
    "Requests that the web server answered, probes left out.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
durations = Histogram(
    "litevault_http_request_duration_seconds",
    "How long they took.",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0),
    registry=REGISTRY,
)


class HttpMetricsMiddleware:
    """Counts each request under the pattern of its URL, so that the number of series is bounded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        if request.path not in QUIET_PATHS:
            route = route_of(request)
            method = request.method if request.method in METHODS else OTHER_METHOD
            _begin_at_zero(route, method)
            requests.labels(route, method, f"{response.status_code // 100}xx").inc()
            durations.labels(route, method).observe(time.perf_counter() - started)
        return response


def route_of(request: HttpRequest) -> str:
    match = request.resolver_match
    # Only the last of the URLs, which matches everything, is a regular expression.
    return UNMATCHED if match is None or match.route.startswith("^") else f"/{match.route}"


@cache
def _begin_at_zero(route: str, method: str) -> None:
    """Create the counter of failures at 0: Prometheus sees no increase in one that appears with its first failure."""
    requests.labels(route, method, "5xx")


def collector() -> Collector:
    """Return the numbers of all workers of this web server, or of this process if it shares none."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return MultiProcessCollector(None, folder) if folder else REGISTRY  # type: ignore[no-untyped-call]
