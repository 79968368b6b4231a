"""The same fields of the same rows by the same pool, with nobody asked who they are and nothing checked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from items.models import EnrichmentAttempt, Item
from items.models.item import unsaved_item
from items.states import Status, allowed_actions

FIELDS = {
    "id": "id",
    "rawText": "raw_text",
    "title": "title",
    "summary": "summary",
    "tags": "tags",
    "sourceType": "source_type",
    "status": "status",
    "enrichmentMode": "enrichment_mode",
    "enrichmentError": "enrichment_error",
    "errorReason": "error_reason",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "confirmedAt": "confirmed_at",
}
ACTIONS = {status.value: list(allowed_actions(status)) for status in Status}
ATTEMPT_FIELDS = {
    "number": "number",
    "startedAt": "started_at",
    "finishedAt": "finished_at",
    "outcome": "outcome",
    "errorCode": "error_code",
    "errorReason": "error_reason",
    "model": "model",
    "promptTokens": "prompt_tokens",
    "completionTokens": "completion_tokens",
    "costUsd": "cost_usd",
}
OWNER = "benchmark0"


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of LiteVault's own representation."""
    fields = {name: row[source] for name, source in FIELDS.items()}
    return {**fields, "rawTextIsCut": False, "allowedActions": ACTIONS[row["status"]]}


def shown_attempt(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: row[source] for name, source in ATTEMPT_FIELDS.items()}
    return {**fields, "durationMs": (row["finished_at"] - row["started_at"]) // timedelta(milliseconds=1)}


class Items(APIView):
    def post(self, request: Request) -> Response:
        from django.contrib.auth.models import User

        owner = User.objects.get(username=OWNER)
        item = unsaved_item(owner=owner, raw_text=cast(dict[str, str], request.data)["rawText"], enrich=True)
        item.save(force_insert=True)
        return Response(shown(vars(item)), status=201)


class Pending(APIView):
    def get(self, _request: Request) -> Response:
        items = Item.objects.filter(owner__username=OWNER).pending().newest_first()
        return Response({"items": [shown(row) for row in items.values(*FIELDS.values())[:100]], "total": items.count()})


class Detail(APIView):
    def get(self, _request: Request, item_id: UUID) -> Response:
        row = Item.objects.values(*FIELDS.values()).get(pk=item_id, owner__username=OWNER)
        attempts = EnrichmentAttempt.objects.filter(item_id=item_id).values(*ATTEMPT_FIELDS.values())
        return Response({**shown(row), "attempts": [shown_attempt(attempt) for attempt in attempts]})


urlpatterns = [
    path("api/v1/items", Items.as_view()),
    path("api/v1/items/pending", Pending.as_view()),
    path("api/v1/items/<uuid:item_id>", Detail.as_view()),
]
