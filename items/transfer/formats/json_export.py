"""Exports in JSON: checked with pydantic, entry by entry."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from items.transfer.formats.entry import NotAnExport
from items.transfer.sources import Refused

Model = TypeVar("Model", bound=BaseModel)


def read_list(text: str, name: str) -> tuple[dict[str, Any], list[object]]:
    """Return the object in the file and the list of this name in it. Raises NotAnExport."""
    try:
        exported = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAnExport("is not JSON") from None
    entries = exported.get(name) if isinstance(exported, dict) else None
    if not isinstance(entries, list):
        raise NotAnExport(f"has no list of {name}")
    return exported, entries


def validated(model: type[Model], value: object, *, place: str) -> Model | Refused:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fields = [str(detail["loc"][0]) for detail in error.errors(include_input=False) if detail["loc"]]
    return Refused(place, f"{fields[0]}: has another form than in an export" if fields else "is not an object")


def length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0
