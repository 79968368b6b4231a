"""What a person would write about the texts: titles to compare with, and tags that the owner already uses."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parent / "references.json"


@dataclass(frozen=True)
class Reference:
    title: str
    tags: list[str]


def read_references(names: set[str]) -> dict[str, Reference]:
    """Return the references of the texts with these names, as far as there are any."""
    everything = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: Reference(**fields) for name, fields in everything.items() if name in names}
