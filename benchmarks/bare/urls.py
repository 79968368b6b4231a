"""The same rows by the same pool, with nobody asked who they are and nothing checked."""

from typing import cast
from uuid import UUID

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from items.models import Item
from items.models.item import unsaved_item

FIELDS = ("id", "raw_text", "title", "summary", "tags", "source_type", "status", "enrichment_error", "created_at")
OWNER = "benchmark0"


class Items(APIView):
    def post(self, request: Request) -> Response:
        from django.contrib.auth.models import User

        owner = User.objects.get(username=OWNER)
        item = unsaved_item(owner=owner, raw_text=cast(dict[str, str], request.data)["rawText"], enrich=True)
        item.save(force_insert=True)
        return Response({name: getattr(item, name) for name in FIELDS}, status=201)


class Pending(APIView):
    def get(self, _request: Request) -> Response:
        items = Item.objects.filter(owner__username=OWNER).pending().newest_first()
        return Response({"items": list(items.values(*FIELDS)[:100]), "total": items.count()})


class Detail(APIView):
    def get(self, _request: Request, item_id: UUID) -> Response:
        item = Item.objects.values(*FIELDS).get(pk=item_id, owner__username=OWNER)
        attempts = Item.objects.get(pk=item_id).attempts.values()
        return Response(item | {"attempts": list(attempts)})


urlpatterns = [
    path("api/v1/items", Items.as_view()),
    path("api/v1/items/pending", Pending.as_view()),
    path("api/v1/items/<uuid:item_id>", Detail.as_view()),
]
