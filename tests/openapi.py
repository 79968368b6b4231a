"""The OpenAPI document, read as its readers would read it."""

import json
from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any, NamedTuple

from django.core.management import call_command


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


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part
