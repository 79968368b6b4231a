"""What the pages say to people, in place of the names and codes that programs read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils.text import capfirst

from items.states import Action, Status

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "rawText": "Text",
        "title": "Title",
        "summary": "Summary",
        "tags": "Tags",
        "tag": "Tag",
        "sourceType": "Type",
        "status": "Status",
        "errorCode": "Problem",
        "errorReason": "Reason",
        "accents": "Ignore accents",
        "q": "Search",
        "cursor": "Position in the list",
        "createdBefore": "Date",
        "items": "Selection",
        "action": "Action",
    }
)

ERROR_CODES: Mapping[str, str] = MappingProxyType(
    {
        "LLM_TIMEOUT": "Model took too long",
        "LLM_VALIDATION_ERROR": "Draft was not usable",
        "LLM_API_ERROR": "Model refused or was not available",
        "ENRICHMENT_ABANDONED": "Worker stopped each time",
    }
)

DONE: Mapping[str, str] = MappingProxyType(
    {
        "edit": "saved",
        "confirm": "confirmed",
        "discard": "discarded",
        "retry": "sent back for a draft",
        "restore": "restored",
        "redraft": "sent back for a new draft",
    }
)
"""What became of an item, after “was” or “were”."""

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "preview": "p",
        "edit": "e",
        "confirm": "c",
        "retry": "r",
        "redraft": "a",
        "discard": "d",
        "restore": "z",
    }
)
"""The keyboard shortcuts of buttons, on lists and on the pages of an item, of owners and of reviewers."""

LOG_IN = "Log in to see this page."
CHANGED_MEANWHILE = "The item was changed after you opened this page. Your input was not saved."


def error_title(code: str) -> str:
    return ERROR_CODES.get(code, capfirst(code.replace("_", " ").lower()))


def problems_of(error: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each refused field, without the name of the field, which each begins with."""
    fields = error.get("details", {}).get("fields", [])
    return {problem["field"]: problem["message"].removeprefix(f"{problem['field']} ") for problem in fields}


def sentences_of(error: Mapping[str, Any]) -> list[str]:
    """Return what a page says about an error response."""
    if problems := problems_of(error):
        return [f"{FIELDS.get(name, name)} {rest}" for name, rest in problems.items()]
    match error["code"]:
        case "INVALID_STATE_TRANSITION":
            details = error["details"]
            status, action = Status(details["currentState"]), Action(details["attemptedAction"])
            return [f"The item was not {DONE[action]}: its status is “{status.label}” now."]
        case "UNAUTHORIZED":
            return [LOG_IN]
        case "STALE":
            return [CHANGED_MEANWHILE]
    return [error["message"]]
