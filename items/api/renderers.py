"""HTML pages for the URLs of the API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.template import loader
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from items.api.forms import IF_MATCH, SAVE, form_value, is_form, line_of
from items.pauses import pause_of
from items.search import Search
from items.states import PENDING_STATUSES, TRANSITIONS, Action, SourceType, Status
from items.texts import SUMMARY_MAX_LENGTH, TITLE_MAX_LENGTH, raw_text_max_length
from items.words import ERROR_CODES, problems_of, sentences_of


class PageRenderer(BrowsableAPIRenderer):
    """Render the response with a template, which escapes all values."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        context = dict(renderer_context or {})
        view, request, response = context["view"], context["request"], context["response"]
        page = _page_of(view)
        return loader.get_template(f"items/browse/{'error' if response.exception else page}.html").render(
            {
                "page": page,
                "data": data,
                "sentences": sentences_of(data["error"]) if response.exception else [],
                "json": JSONRenderer().render(data, "application/json; indent=2").decode() if data else "",
                "view_name": getattr(view, "action", None),
                "status_code": response.status_code,
                "status_text": response.status_text,
                "query": request.query_params,
                "next_page": _next_page(request.query_params, data),
                **_search_of(view, request.query_params),
                "statuses": PENDING_STATUSES if _is_pending(view) else list(Status),
                "source_types": list(SourceType),
                "pause": pause_of(request.user.pk) if _is_pending(view) and not response.exception else None,
                "error_codes": ERROR_CODES,
                "bulk_actions": _bulk_actions(request.query_params.get("status"), view),
                "user": request.user,
                **_form_of(request, response, data, etag=context.get("etag")),
            },
            request,
        )


def _page_of(view: Any) -> str:
    pages: Mapping[str, str] = getattr(view, "pages", {})
    return pages.get(getattr(view, "action", None) or "", "answer")


def _search_of(view: Any, query: QueryDict) -> dict[str, Any]:
    """Return the search, to mark what it found, and its part of the query."""
    validated = getattr(getattr(view, "query", None), "validated_data", {})
    search = validated.get("search") or Search()
    sent = {name: query[name] for name in ("q", "accents") if name in query} if search.words else {}
    return {"search": search, "search_query": urlencode(sent)}


def capture_form(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of a capture form with this input."""
    limit = raw_text_max_length()
    limits = {"rawText": limit, "title": TITLE_MAX_LENGTH, "summary": SUMMARY_MAX_LENGTH}
    return {"typed": typed, "limits": limits, "raw_text_limit": f"{limit:,}"}


def _form_of(request: Request, response: Response, data: Any, *, etag: str | None) -> dict[str, Any]:
    """Return the initial values of the edit form: the item, or the input if it was refused."""
    typed = request.data.dict() if response.exception and isinstance(request.data, QueryDict) else {}
    return {
        # A refused form still refers to the version that it was loaded with.
        "etag": form_value(request, IF_MATCH) if response.exception else etag,
        **capture_form(typed),
        "errors": problems_of(data["error"]) if response.exception else {},
        "was_confirming": is_form(request) and form_value(request, "action") == "confirm",
        "tags_line": typed.get("tags", "") if response.exception else line_of(_tags(data)),
        "save": SAVE,
    }


def _bulk_actions(status: str | None, view: Any) -> list[Action]:
    """Return the actions on several items of the list: those that its statuses may allow."""
    unfiltered = PENDING_STATUSES if _is_pending(view) else [status for status in Status if status != Status.DISCARDED]
    shown = [Status(status)] if status in Status.values else unfiltered
    # Few failed items can be restored, but all discarded ones.
    hidden = {Action.EDIT} if Status.DISCARDED in shown else {Action.EDIT, Action.RESTORE}
    allowed = {action for status in shown for action in TRANSITIONS[status]} - hidden
    return [action for action in Action if action in allowed]


def _is_pending(view: Any) -> bool:
    return getattr(view, "action", None) == "pending"


def _next_page(query: QueryDict, data: Any) -> str | None:
    """Return the query of the next page, with the same filters."""
    pagination = data.get("pagination") if isinstance(data, dict) else None
    if not pagination or not pagination["hasMore"]:
        return None
    onwards = query.copy()
    onwards["cursor"] = pagination["cursor"]
    return onwards.urlencode()


def _tags(source: object) -> list[object]:
    tags = source.get("tags") if isinstance(source, Mapping) else None
    return tags if isinstance(tags, list) else []
