"""The descriptions and examples of the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework.exceptions import APIException

from items.api import (
    field_schema,  # noqa: F401  # registers the schemas of fields
    serializers,
)
from items.api.etags import Stale
from items.api.filters import ListParameters, PendingParameters, SearchParameters, TagParameters
from items.api.idempotency import KeyReused, StillRunning
from items.api.pagination import SEARCH_WINDOW_SIZE
from items.states import Action, InvalidTransition, Status, allowed_actions

ITEM_ID = OpenApiParameter("item_id", OpenApiTypes.UUID, OpenApiParameter.PATH)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="Change the item only if it still has this ETag."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="Respond with 304 if the item still has this ETag."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="A request with the same key and body gets the same response for 24 hours.",
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    OpenApiParameter.HEADER,
    required=True,
    response=[200, 201, 304],
    description="The version of the item, for If-Match.",
)
LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    required=True,
    response=[201],
    description="The URL of the item.",
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[201],
    description="Present if the response is a repetition.",
)

ENRICHING = {
    "id": "0b1c6a52-4d5f-4a51-9f0c-6a4a5f0c2f11",
    "rawText": "Vacuum keeps the visibility map fresh. Index-only scans need it.",
    "rawTextIsCut": False,
    "title": None,
    "summary": None,
    "tags": [],
    "sourceType": None,
    "status": "ENRICHING",
    "enrichmentMode": "AI",
    "enrichmentError": None,
    "errorReason": None,
    "allowedActions": ["discard"],
    "createdAt": "2026-11-22T09:30:00.120000Z",
    "updatedAt": "2026-11-22T09:30:00.120000Z",
    "confirmedAt": None,
}
READY = {
    **ENRICHING,
    "title": "What vacuum does",
    "summary": "Vacuum keeps the visibility map fresh, which index-only scans need.",
    "tags": ["postgresql", "vacuum", "index"],
    "sourceType": "NOTE",
    "status": "READY_TO_CONFIRM",
    "allowedActions": ["edit", "confirm", "redraft", "discard"],
    "updatedAt": "2026-11-22T09:30:02.480000Z",
}
ARCHIVED = {
    **READY,
    "status": "ARCHIVED",
    "allowedActions": ["edit", "discard"],
    "updatedAt": "2026-11-22T09:41:00.000000Z",
    "confirmedAt": "2026-11-22T09:41:00.000000Z",
}
ATTEMPT = {
    "number": 1,
    "startedAt": "2026-11-22T09:30:00.130000Z",
    "finishedAt": "2026-11-22T09:30:02.470000Z",
    "outcome": "SUCCEEDED",
    "errorCode": None,
    "errorReason": None,
    "model": "openai/gpt-4o-mini",
    "promptTokens": 312,
    "completionTokens": 84,
    "costUsd": "0.00009720",
    "durationMs": 2340,
}
FAILED = {
    **ENRICHING,
    "status": "FAILED",
    "enrichmentError": "LLM_TIMEOUT: The model did not answer in time.",
    "errorReason": "TIMED_OUT",
    "allowedActions": ["retry", "discard"],
    "updatedAt": "2026-11-22T09:30:40.000000Z",
}
USAGE = {name: ATTEMPT[name] for name in ("promptTokens", "completionTokens", "costUsd")}
LAST_PAGE = {"cursor": None, "hasMore": False}


def _request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def _response(serializer: type, name: str, value: Any) -> OpenApiResponse:
    return OpenApiResponse(serializer, description=name, examples=[OpenApiExample(name, value=value)])


def _refused(error: type[APIException], description: str) -> OpenApiResponse:
    return _error(description, code=error.default_code, message=str(error.default_detail))


def _error(description: str, *, code: str, message: str, details: Mapping[str, Any] | None = None) -> OpenApiResponse:
    error = {"code": code, "message": message, "requestId": "req-9f1c2ab34d5e6f70"} | (
        {"details": details} if details else {}
    )
    shape = {"$ref": "#/components/schemas/Error"}
    return OpenApiResponse(shape, description, examples=[OpenApiExample(code, summary=message, value={"error": error})])


def _invalid_transition(status: Status, action: Action) -> OpenApiResponse:
    return _error(
        "The status of the item does not allow the action.",
        code="INVALID_STATE_TRANSITION",
        message=str(InvalidTransition(status, action)),
        details={
            "currentState": status.value,
            "attemptedAction": action.value,
            "allowedActions": [action.value for action in allowed_actions(status)],
        },
    )


STALE = _refused(Stale, "The item has changed.")

list_items = extend_schema(
    operation_id="listItems",
    summary="List items",
    description="The items of the caller, newest first, without discarded ones, unless `status` asks for these. "
    f"One page of a search reads at most {SEARCH_WINDOW_SIZE:,} items, or fewer long ones, and may be empty although "
    "there is a next one.",
    parameters=[ListParameters],
    responses={
        200: _response(serializers.ItemPageSerializer, "One page", {"items": [ARCHIVED], "pagination": LAST_PAGE})
    },
)
list_pending = extend_schema(
    operation_id="listPendingItems",
    summary="List pending items",
    description="The items that need attention, newest first: being enriched, ready to confirm, or failed.",
    parameters=[PendingParameters],
    responses={
        200: _response(
            serializers.PendingPageSerializer,
            "One page",
            {"items": [READY, ENRICHING], "pagination": LAST_PAGE, "total": 2},
        )
    },
)
capture = extend_schema(
    operation_id="captureItem",
    summary="Capture a text",
    description="Stores the text at once. With `enrich` a title, summary and tags are drafted in the background.",
    parameters=[IDEMPOTENCY_KEY, ETAG, LOCATION, REPLAYED],
    request=serializers.CaptureSerializer,
    responses={
        201: _response(serializers.ItemSerializer, "Captured", ENRICHING),
        409: _refused(StillRunning, "A request with the same key is still running."),
        422: _refused(KeyReused, "The key was used with another body."),
    },
    examples=[_request("A text to enrich", {"rawText": ENRICHING["rawText"]})],
)
read = extend_schema(
    operation_id="getItem",
    summary="Read one item",
    description="Includes the last 100 attempts at enriching the item, and the usage of all. "
    "In a browser, the page marks the words of a search; JSON is the same with and without them.",
    parameters=[ITEM_ID, SearchParameters, IF_NONE_MATCH, ETAG],
    responses={
        200: _response(
            serializers.ReadItemSerializer,
            "Ready",
            {
                **READY,
                "formerDraft": None,
                "attempts": [ATTEMPT],
                "usage": USAGE,
                "pausedUntil": None,
                "pauseReason": None,
            },
        ),
        304: OpenApiResponse(description="Not changed."),
    },
)
change = extend_schema(
    operation_id="changeItem",
    summary="Edit, confirm or discard an item",
    description="Without an action, the edits are saved and the status does not change. A discard takes no edits.",
    parameters=[ITEM_ID, IF_MATCH, ETAG],
    request=serializers.ChangeSerializer,
    responses={
        200: _response(serializers.ItemSerializer, "Confirmed", ARCHIVED),
        409: _invalid_transition(Status.FAILED, Action.CONFIRM),
        412: STALE,
    },
    examples=[
        _request("Confirm, with a last edit", {"action": "confirm", "title": "What vacuum does"}),
        _request("Edit", {"tags": ["postgresql", "vacuum"]}),
        _request("Discard", {"action": "discard"}),
    ],
)
retry = extend_schema(
    operation_id="retryItem",
    summary="Enrich a failed item again",
    description="The budget of attempts is reset.",
    parameters=[ITEM_ID, IF_MATCH, ETAG],
    request=None,
    responses={
        200: _response(serializers.ItemSerializer, "Enriching again", ENRICHING),
        409: _invalid_transition(Status.ARCHIVED, Action.RETRY),
        412: STALE,
    },
)
redraft = extend_schema(
    operation_id="redraftItem",
    summary="Draft an item again",
    description="For a draft that is not confirmed, and for an archived item that was captured without enrichment. "
    "The item keeps its draft until it has the new one, which has to be confirmed; then the former one is in "
    "`formerDraft`. If no attempt succeeds, the item becomes FAILED with the draft that it had, and can be restored.",
    parameters=[ITEM_ID, IF_MATCH, ETAG],
    request=None,
    responses={
        200: _response(
            serializers.ItemSerializer,
            "Drafted again",
            {**READY, "status": "ENRICHING", "allowedActions": ["discard"]},
        ),
        409: _invalid_transition(Status.ENRICHING, Action.REDRAFT),
        412: STALE,
    },
)
restore = extend_schema(
    operation_id="restoreItem",
    summary="Restore an item",
    description="Takes a discarded item back to the status that it had. One that was being enriched is enriched again. "
    "An item whose redraft has failed returns to the status and the draft of before.",
    parameters=[ITEM_ID, IF_MATCH, ETAG],
    request=None,
    responses={
        200: _response(serializers.ItemSerializer, "Restored", FAILED),
        409: _invalid_transition(Status.ARCHIVED, Action.RESTORE),
        412: STALE,
    },
)
retry_all = extend_schema(
    operation_id="retryItems",
    summary="Enrich failed items again",
    description="Retries all failed items of the caller that match, the oldest first. Stops at a time limit: "
    "send the request again while `hasMore` is true.",
    request=serializers.RetrySerializer,
    responses={200: _response(serializers.RetriedSerializer, "Retried", {"retried": 12, "hasMore": False})},
    examples=[
        _request("Items that timed out", {"errorCode": "LLM_TIMEOUT"}),
        _request("Items that failed because the key was refused", {"errorReason": "KEY_REFUSED"}),
    ],
)
selected = extend_schema(exclude=True)  # only for forms
list_tags = extend_schema(
    operation_id="listTags",
    summary="List tags",
    description="The tags of the caller's items, most used first, each in its most used spelling.",
    parameters=[TagParameters],
    responses={
        200: _response(
            serializers.TagListSerializer,
            "Tags",
            {"tags": [{"name": "postgresql", "count": 12}], "pagination": {"cursor": None, "hasMore": False}},
        )
    },
)
PAUSED = {"owner": "ada", "paused": True, "pausedSince": "2026-11-22T09:30:00.000000Z"}
RESUMED = {"owner": "ada", "paused": False, "pausedSince": None}
UNKNOWN_OWNER = _error("No user has this name.", code="NOT_FOUND", message="Not found.")
read_pause = extend_schema(
    operation_id="readPause",
    summary="Read whether enrichment is paused",
    description="For staff who may pause enrichment.",
    parameters=[serializers.PauseParameters],
    responses={200: _response(serializers.PauseSerializer, "Paused", PAUSED), 404: UNKNOWN_OWNER},
)
pause = extend_schema(
    operation_id="pauseEnrichment",
    summary="Pause enrichment",
    description="Of all owners, or of one. Nothing is claimed any more once the response is sent. "
    "Calls in flight finish. Captures are stored and wait.",
    parameters=[serializers.PauseParameters],
    request=None,
    responses={200: _response(serializers.PauseSerializer, "Paused", PAUSED), 404: UNKNOWN_OWNER},
)
resume = extend_schema(
    operation_id="resumeEnrichment",
    summary="Resume enrichment",
    description="An owner who was paused individually stays paused when all owners are resumed.",
    parameters=[serializers.PauseParameters],
    responses={200: _response(serializers.PauseSerializer, "Resumed", RESUMED), 404: UNKNOWN_OWNER},
)
