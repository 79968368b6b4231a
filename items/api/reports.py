"""The message on the page after a form: what came of the action, with a way to undo it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from rest_framework.request import Request

from items.states import Action, Status
from items.texts import cut, first_line
from items.words import DONE

NAME_MAX_LENGTH = 60


def report(request: Request, action: str, data: Mapping[str, Any]) -> None:
    """Add the message. `data` is the body of the response to the form."""
    if action == "create":
        _add(request, "The text was captured. A draft follows." if data["status"] == Status.ENRICHING else "Archived.")
    elif action == "retry_all":
        others = " Retry again for the others." if data["hasMore"] else ""
        _add(request, f"{_number(data['retried'])} sent back for a draft.{others}")
    elif action == "selected":
        _report_selected(request, data)
    else:
        undo = [data["id"]] if data["status"] == Status.DISCARDED else []
        _add(request, f"{_name(data)} was {DONE[action]}.", undo=undo)


def _report_selected(request: Request, data: Mapping[str, Any]) -> None:
    action, changed, unchanged = data["action"], data["changed"], data["unchanged"]
    sentences = [f"{_number(len(changed))} {DONE[action]}."] if changed else []
    if unchanged:
        sentences.append(f"{unchanged:,} did not change: the status does not allow it.")
    undo = changed if action == Action.DISCARD else []
    _add(request, " ".join(sentences), undo=undo, level=messages.SUCCESS if changed else messages.WARNING)


def _add(request: Request, text: str, *, undo: Sequence[str] = (), level: int = messages.SUCCESS) -> None:
    """The tags of the message are the ids of the items that its Undo button restores."""
    messages.add_message(request._request, level, text, extra_tags=" ".join(undo))


def _name(data: Mapping[str, Any]) -> str:
    return f"“{cut(data['title'] or first_line(data['rawText']), NAME_MAX_LENGTH)}”"


def _number(items: int) -> str:
    return "1 item was" if items == 1 else f"{items:,} items were"
