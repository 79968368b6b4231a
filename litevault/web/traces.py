"""The trace of the request that is handled now."""

import sys
from typing import Any


def current_traceparent() -> str:
    """Return the W3C trace context of the current span, or "" without one, as always if traces are off."""
    api: Any = sys.modules.get("opentelemetry.trace")
    context = api and api.get_current_span().get_span_context()
    if not context or not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
