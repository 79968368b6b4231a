"""The OpenAPI document, read as its readers would read it."""

import json
from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any, NamedTuple

from django.core.management import call_command

# Every call, and those of its answers that others do not have. test_schema.py holds the document against it. Tests
# that are run for each call take their names from here, because the document takes a second to write.
CALLS = {
    "GET /api/v1/items": {"200"},
    "POST /api/v1/items": {"201", "409", "413", "415", "422"},
    "GET /api/v1/items/pending": {"200"},
    "POST /api/v1/items/retry": {"200", "413", "415"},
    "GET /api/v1/items/{item_id}": {"200", "304", "404"},
    "PATCH /api/v1/items/{item_id}": {"200", "404", "409", "412", "413", "415"},
    "POST /api/v1/items/{item_id}/redraft": {"200", "404", "409", "412"},
    "POST /api/v1/items/{item_id}/restore": {"200", "404", "409", "412"},
    "POST /api/v1/items/{item_id}/retry": {"200", "404", "409", "412"},
    "GET /api/v1/tags": {"200"},
    "GET /api/v1/events": {"200", "204", "307"},
}


class Call(NamedTuple):
    """One method on one path."""

    path: str
    method: str
    said: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def bodies(self) -> list[Any]:
        """What may be sent: the examples of the document, or nothing."""
        body = self.said.get("requestBody", {}).get("content", {}).get("application/json", {})
        return [example["value"] for example in body.get("examples", {}).values()] or [None]

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """By status, with references followed."""
        return {status: resolved(answer) for status, answer in self.said["responses"].items()}


@cache
def document() -> dict[str, Any]:
    """As `manage.py spectacular` writes it; it fails on a warning."""
    output = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=output)
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


def calls() -> Iterator[Call]:
    for path, methods in document()["paths"].items():
        for method, said in methods.items():
            yield Call(path, method, said)


def call_named(name: str) -> Call:
    (found,) = (call for call in calls() if str(call) == name)
    return found


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part
