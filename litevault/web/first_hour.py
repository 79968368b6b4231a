"""What the page of the API begins with: a description, and the calls in the order in which a client needs them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

DESCRIPTION = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")

EXAMPLE = "http://127.0.0.1:8080"

CAPTURE, REVIEW, FIND, WATCH, STAFF = "Capture", "Review", "Find", "Watch", "Administration"
TAGS: Mapping[str, str] = MappingProxyType(
    {
        CAPTURE: "Store a text.",
        REVIEW: "Read the draft, then confirm, edit or discard it, or ask for another.",
        FIND: "List and search what is stored.",
        WATCH: "Learn of changes as they happen.",
        STAFF: "For staff.",
    }
)
TAG_OF: Mapping[str, str] = MappingProxyType(
    {
        "captureItem": CAPTURE,
        "listPendingItems": REVIEW,
        "getItem": REVIEW,
        "changeItem": REVIEW,
        "retryItem": REVIEW,
        "redraftItem": REVIEW,
        "restoreItem": REVIEW,
        "retryItems": REVIEW,
        "listItems": FIND,
        "listTags": FIND,
        "events": WATCH,
    }
)
"""The operations in order. Others come last, as those for staff."""


def describe(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Describe the API, with commands for the server at EXAMPLE."""
    result["info"]["description"] = DESCRIPTION
    schemes = result["components"]["securitySchemes"]
    result["components"]["securitySchemes"] = dict(sorted(schemes.items(), key=lambda scheme: scheme[0] != "token"))
    return result


def order_by_first_use(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Tag the operations, and sort the paths by the first use of one of their operations."""
    places = {operation: place for place, operation in enumerate(TAG_OF)}
    used = set()
    for calls in result["paths"].values():
        for call in calls.values():
            call["tags"] = [TAG_OF.get(call["operationId"], STAFF)]
            used.update(call["tags"])
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]

    def first_use(entry: tuple[str, dict[str, Any]]) -> int:
        return min(places.get(call["operationId"], len(places)) for call in entry[1].values())

    for path, calls in sorted(result["paths"].items(), key=first_use):
        result["paths"][path] = result["paths"].pop(path)
        result["paths"][path] = dict(sorted(calls.items(), key=lambda call: places.get(call[1]["operationId"], 99)))
    return result


def document_optional_fields(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Describe defaults of request bodies in words: generators make a field with a `default` required."""
    for schema in result["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            if name not in schema.get("required", ()) and "default" in field:
                default = str(field.pop("default")).lower()
                field["description"] = f"{field.get('description', '')} Default: {default}.".strip()
    return result
