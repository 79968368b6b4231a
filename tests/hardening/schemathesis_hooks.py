"""Hooks for Schemathesis, which loads this file in a process of its own."""

import json
import os
import uuid
from collections.abc import Mapping
from typing import Any

import schemathesis

from items.texts import comparable, normalise_tag

ITEM_IDS: list[str] = json.loads(os.environ["SCHEMATHESIS_ITEM_IDS"])
"""Items in every status, so that not every id leads to 404."""

ONE_IN_FOUR = 4
LIMITS = {"title": 100, "summary": 500, "q": 200}
WORDS_LIMIT = 10
TAG_LIMIT = 50
TAGS_LIMIT = 20


@schemathesis.hook
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Replace three of four well-formed ids by the id of an item."""
    try:
        number = uuid.UUID(str((path_parameters or {})["item_id"])).int
    except (KeyError, ValueError):
        return path_parameters
    return path_parameters if number % ONE_IN_FOUR == 0 else {"item_id": ITEM_IDS[number % len(ITEM_IDS)]}


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out rules that an OpenAPI document cannot express. They have tests of their own."""
    body = case.body if isinstance(case.body, Mapping) else {}
    empties_the_tags = body.get("tags") == [] and "action" not in body  # refused while the item waits
    many_words = len(str((case.query or {}).get("q", "")).split()) > WORDS_LIMIT
    return not (empties_the_tags or many_words or _fits_once_trimmed({**body, **(case.query or {})}))


def _fits_once_trimmed(values: Mapping[str, Any]) -> bool:
    lines = [
        (text, text.strip(), LIMITS[name]) for name, text in values.items() if name in LIMITS and isinstance(text, str)
    ]
    tags = values["tags"] if isinstance(values.get("tags"), list) else [values.get("tag")]
    texts = [tag for tag in tags if isinstance(tag, str)]
    lines += [(tag, normalise_tag(tag), TAG_LIMIT) for tag in texts]
    return any((len(sent) > limit) != (len(kept) > limit) for sent, kept, limit in lines) or (
        len(texts) > TAGS_LIMIT >= len({comparable(normalise_tag(tag)) for tag in texts})
    )
