"""Traces for OpenTelemetry, which is imported only if the environment names a collector."""

import os

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
UNTRACED = ("/healthz", "/readyz", "/static/")
# Inside what gives every response its headers and its shape.
FIRST_TRACED = "django.middleware.security.SecurityMiddleware"


def start(service: str) -> None:
    """Send spans to the collector. Call this after a fork, and before Django loads its middleware."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

        from litevault.operations.span_exporter import send_spans
    except ImportError:
        logger.warning("traces.unavailable", sentence='Install "litevault[otel]", or requirements/otel.txt.')
        return
    send_spans(service, version=settings.VERSION)
    PsycopgInstrumentor().instrument()
    DjangoInstrumentor().instrument(
        excluded_urls=",".join(UNTRACED),
        middleware_position=settings.MIDDLEWARE.index(FIRST_TRACED),
        request_hook=_add_request_id,
    )


def _add_request_id(span: object, _request: object) -> None:
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    span.set_attribute("litevault.request_id", request_id)  # type: ignore[attr-defined]  # installed on request
