"""Spans of attempts and of requests to models, for OpenTelemetry.

They cost nothing until litevault/operations/traces.py has imported it. No attribute is a text, a title or a key.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

from items.claims import Claim, Verdict

SetAttributes: TypeAlias = Callable[[Mapping[str, object]], None]

API = "opentelemetry.trace"


def _ignore(_of_a_span: object) -> None:
    """Take what a span would."""


NO_SPAN = nullcontext(_ignore)


def attempt(claim: Claim) -> AbstractContextManager[Callable[[Verdict], None]]:
    """Open the span of an attempt, in the trace of the request that asked for the draft.

    Yield a function that takes the verdict. A cancelled attempt has none.
    """
    return _attempt(claim) if _is_loaded() else NO_SPAN


def provider_call(provider: object) -> AbstractContextManager[object]:
    """Open the span of all that a provider does for one text: its waits, its tries and its fallback models."""
    return _span("draft", "INTERNAL", {"litevault.provider": type(provider).__name__}) if _is_loaded() else NO_SPAN


def model_request(model: str) -> AbstractContextManager[object]:
    """Open the span of one request to a model."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    return _span("chat", "CLIENT", attributes) if _is_loaded() else NO_SPAN


def _is_loaded() -> bool:
    return API in sys.modules


@contextmanager
def _attempt(claim: Claim) -> Iterator[Callable[[Verdict], None]]:
    attributes = {
        "litevault.item_id": str(claim.item_id),
        "litevault.attempt": claim.attempt,
        "litevault.request_id": claim.request_id,
    }
    with _span("enrich item", "CONSUMER", attributes, parent=claim.traceparent or "") as add:
        yield lambda verdict: add(
            {
                "litevault.outcome": str(verdict.outcome),
                "litevault.status": str(verdict.status),
                "litevault.error_code": verdict.error_code,
                "litevault.error_reason": verdict.error_reason and str(verdict.error_reason),
                "gen_ai.request.model": verdict.model,
                "gen_ai.usage.input_tokens": verdict.prompt_tokens,
                "gen_ai.usage.output_tokens": verdict.completion_tokens,
            }
        )


@contextmanager
def _span(
    name: str, kind: str, attributes: Mapping[str, object], *, parent: str | None = None
) -> Iterator[SetAttributes]:
    """Open a span below the current one, or below `parent`, which begins a trace if it is empty."""
    api: Any = sys.modules[API]
    context = None if parent is None else _remote_context(parent)
    with api.get_tracer("litevault").start_as_current_span(
        name, context, getattr(api.SpanKind, kind), record_exception=False, set_status_on_exception=False
    ) as span:

        def add(attributes: Mapping[str, object]) -> None:
            span.set_attributes({key: value for key, value in attributes.items() if value is not None})
            if attributes.get("litevault.error_code"):
                span.set_status(api.StatusCode.ERROR)

        add(attributes)
        yield add


def _remote_context(traceparent: str) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
