"""What leaves a process as a span: names, numbers and codes, never what a user wrote or a library said.

The instrumentation of psycopg puts statements into spans, and messages of exceptions, which quote rows. Therefore an
attribute is sent only if it is listed here. Of an exception, its class is sent.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status

OURS = ("litevault.", "gen_ai.")
SENT = {
    *("http.request.method", "http.route", "http.response.status_code"),
    *("db.system", "db.system.name", "db.name", "db.namespace", "db.operation", "db.operation.name"),
    *("net.peer.name", "server.address", "net.peer.port", "server.port"),
    *("error.type", "exception.type"),
}


class SparingExporter(SpanExporter):  # type: ignore[misc]  # mypy does not find it where it is not installed
    """Passes on spans with the listed attributes only."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        kept = [sparing(span) for span in spans if not _is_stray_statement(span)]
        return self._exporter.export(kept) if kept else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))


def send_spans(service: str, *, version: str) -> None:
    """Send spans in batches from a thread of their own. Where OTEL_* variables say otherwise, they have precedence."""
    ours = {
        "service.name": service,
        "service.version": version,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    resource = Resource.create(ours).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(SparingExporter(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)


def sparing(span: ReadableSpan) -> ReadableSpan:
    """Return a copy without attributes that are not listed, and without words about errors."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_listed(span.attributes),
        events=[Event(event.name, _listed(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _listed(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (attributes or {}).items() if key in SENT or key.startswith(OURS)}


def _is_stray_statement(span: ReadableSpan) -> bool:
    """Return whether it is a statement of no request and no attempt, such as a claim or a probe."""
    return span.parent is None and span.kind == SpanKind.CLIENT
