"""Traces for OpenTelemetry, which is imported only if the environment names a collector."""

import os

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MIDDLEWARE = "litevault.operations.traced_requests.TraceMiddleware"
MIDDLEWARE_BEFORE = "litevault.web.request_id.RequestIdMiddleware"


def start(service: str) -> None:
    """Send spans to the collector. Call this after a fork, and before Django loads its middleware."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

        from litevault.operations.span_exporter import send_spans
    except ImportError:
        logger.warning("traces.unavailable", sentence='Install "litevault[otel]", or requirements/otel.txt.')
        return
    send_spans(service, version=settings.VERSION)
    PsycopgInstrumentor().instrument()
    settings.MIDDLEWARE.insert(settings.MIDDLEWARE.index(MIDDLEWARE_BEFORE) + 1, MIDDLEWARE)
