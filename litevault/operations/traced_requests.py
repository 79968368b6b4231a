"""The span of each request. OpenTelemetry's own middleware answers 500 to some paths, and sends URLs and addresses."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from litevault.web.http_metrics import METHODS, OTHER_METHOD, route_of
from litevault.web.request_id import QUIET_PATHS


class TraceMiddleware:
    """Comes after the one that gives the request its id. It continues the trace that the client began."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._tracer = trace.get_tracer("litevault")
        self._propagator = TraceContextTextMapPropagator()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path in QUIET_PATHS or request.path.startswith(settings.STATIC_URL):
            return self.get_response(request)
        method = str(request.method) if request.method in METHODS else OTHER_METHOD
        context = self._propagator.extract(request.headers, Context())
        with self._tracer.start_as_current_span(method, context, trace.SpanKind.SERVER) as span:
            response = self.get_response(request)
            route = route_of(request)
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": response.status_code,
                    "litevault.request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
                }
            )
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                span.set_status(trace.StatusCode.ERROR)
            return response
