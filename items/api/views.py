"""The API of items. Every view uses only the items of the authenticated user."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework import status
from rest_framework.fields import DateTimeField
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from items.api import schema
from items.api.browser import BrowserForms, if_match
from items.api.etags import detail_of, etag_of, is_unchanged, refuse_stale
from items.api.filters import ListParameters, PendingParameters, SearchParameters, TagParameters, parameters
from items.api.forms import body_of, selection_of, with_unchanged
from items.api.idempotency import fingerprint_of, key_from, respond_once
from items.api.listed_texts import with_long_texts
from items.api.pagination import Page, TagCursor
from items.api.serializers import (
    RETRY_SECONDS,
    CaptureSerializer,
    ChangeSerializer,
    ItemSerializer,
    NoFields,
    RetrySerializer,
    SelectionSerializer,
)
from items.models import Item, ItemQuerySet
from items.pauses import pause_of
from items.states import Action, Status
from items.texts import first_line
from items.vocabulary import tag_counts
from postgres.django.compiled import CompiledQuery, Parameter

RETRY_BATCH_SIZE = 300
"""Items that one statement retries, so that it ends before LITEVAULT_STATEMENT_SECONDS."""


class OwnerViewSet(BrowserForms, ViewSet):
    """The base of all views."""

    parameters: ClassVar[Mapping[str, type]] = {}
    pages: ClassVar[Mapping[str, str]] = {}
    http_method_names = ["get", "head", "post", "patch"]  # as its base declares it
    query: Any  # the validated parameters of the URL

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action:  # none if the method is not allowed
            self.query = parameters(self.parameters.get(self.action, NoFields), request.query_params)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response

    @property
    def items(self) -> ItemQuerySet:
        return cast(ItemQuerySet, Item.objects.owned_by(self.request.user))


class ItemViewSet(OwnerViewSet):
    # The page of an item marks the words of the search that led to it.
    parameters: ClassVar = {"list": ListParameters, "pending": PendingParameters, "retrieve": SearchParameters}
    pages: ClassVar = {
        **dict.fromkeys(("list", "pending"), "list"),
        **dict.fromkeys(("create", "retrieve", "partial_update", "retry", "redraft", "restore"), "item"),
    }

    @schema.list_items
    def list(self, request: Request) -> Response:
        return Response(_shown(self.query.page(request.user)))

    @schema.list_pending
    def pending(self, request: Request) -> Response:
        page = self.query.page(request.user)
        total = len(page.items) if page.is_all else self.query.total(request.user)
        return Response({**_shown(page), "total": total})

    @schema.capture
    def create(self, request: Request) -> Response:
        body = CaptureSerializer(data=body_of(request))
        body.is_valid(raise_exception=True)
        text = body.validated_data
        key = key_from(request.headers)
        if key is None:
            return _created(self._capture(**text))
        stored, was_stored = respond_once(
            cast(User, request.user),
            key,
            fingerprint=fingerprint_of(text),
            respond=lambda: _without_text(self._capture(**text)),
        )
        response = _created(_with_text(stored, **text))
        if was_stored:
            response["Idempotency-Replayed"] = "true"
        return response

    @schema.read
    def retrieve(self, request: Request, item_id: str) -> Response:
        item = _read(request.user, item_id)
        detail, etag = detail_of(item)
        # Not a part of the version: the item itself does not change when its owner is paused.
        pause = pause_of(item.owner_id) if item.status == Status.ENRICHING else None
        is_json = request.accepted_renderer.format == "json"
        if is_json and pause is None and is_unchanged(etag, if_none_match=request.headers.get("If-None-Match")):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
        until = DateTimeField().to_representation(pause.until) if pause and pause.until else None
        waits = {"pausedUntil": until, "pauseReason": pause and pause.reason}
        return Response({**detail, **waits}, headers={"ETag": etag})

    @schema.change
    def partial_update(self, request: Request, item_id: str) -> Response:
        body = body_of(request)
        with transaction.atomic():
            item = _get(self.items.select_for_update(), item_id)
            change = ChangeSerializer(item, data=with_unchanged(body, request, item))
            change.is_valid(raise_exception=True)
            refuse_stale(item, if_match=if_match(request))
            change.apply_to(item)
        return Response(ItemSerializer(item).data, headers={"ETag": etag_of(item)})

    @schema.retry
    def retry(self, request: Request, item_id: str) -> Response:
        return self._move(request, item_id, Item.retry)

    @schema.redraft
    def redraft(self, request: Request, item_id: str) -> Response:
        return self._move(request, item_id, Item.redraft)

    @schema.restore
    def restore(self, request: Request, item_id: str) -> Response:
        return self._move(request, item_id, Item.restore)

    @schema.retry_all
    def retry_all(self, request: Request) -> Response:
        body = RetrySerializer(data=body_of(request))
        body.is_valid(raise_exception=True)
        items = body.narrow(self.items)
        retried, has_more, ends_at = 0, False, monotonic() + RETRY_SECONDS
        for batch in items.batches(RETRY_BATCH_SIZE):
            has_more = retried > 0 and monotonic() > ends_at
            if has_more:
                break
            retried += items.filter(pk__in=[item_id for _, item_id in batch]).retry()
        return Response({"retried": retried, "hasMore": has_more})

    @schema.selected
    def selected(self, request: Request) -> Response:
        """Change items of a page, by the form around its check boxes."""
        body = SelectionSerializer(data=selection_of(request))
        body.is_valid(raise_exception=True)
        action, ids = body.validated_data["action"], dict.fromkeys(body.validated_data["items"])
        with transaction.atomic():
            chosen = self.items.filter(pk__in=ids).allowing(Action(action)).order_by("pk")
            changed = set(chosen.select_for_update(no_key=True).values_list("pk", flat=True))
            self.items.filter(pk__in=changed).perform(Action(action))
        in_order = [str(pk) for pk in ids if pk in changed]  # after an Undo, the focus is on the first of them
        return Response({"action": action, "changed": in_order, "unchanged": len(ids) - len(changed)})

    def _capture(self, *, raw_text: str, enrich: bool) -> dict[str, Any]:
        item = Item.objects.capture(owner=self.request.user, raw_text=raw_text, enrich=enrich)
        return {"item": ItemSerializer(item).data, "etag": etag_of(item, is_new=True)}

    def _move(self, request: Request, item_id: str, move: Callable[[Item], None]) -> Response:
        """Lock the row before comparing its version, so that it cannot change in between."""
        NoFields(data=body_of(request)).is_valid(raise_exception=True)
        with transaction.atomic():
            item = _get(self.items.select_for_update(), item_id)
            refuse_stale(item, if_match=if_match(request))
            move(item)
        return Response(ItemSerializer(item).data, headers={"ETag": etag_of(item)})


class TagViewSet(OwnerViewSet):
    is_heavy = True
    parameters: ClassVar = {"list": TagParameters}
    pages: ClassVar = {"list": "tags"}

    @schema.list_tags
    def list(self, request: Request) -> Response:
        wanted = self.query.validated_data
        limit, after = wanted["limit"], wanted.get("cursor")
        found = tag_counts(
            request.user, limit=limit + 1, prefix=wanted.get("q", ""), after=after and (after.count, after.key)
        )
        shown = found[:limit]
        cursor = str(TagCursor(shown[-1].count, shown[-1].key)) if len(found) > limit else None
        return Response(
            {
                "tags": [{"name": tag.name, "count": tag.count} for tag in shown],
                "pagination": {"cursor": cursor, "hasMore": cursor is not None},
            }
        )


def _shown(page: Page) -> dict[str, object]:
    return {"items": ItemSerializer(with_long_texts(page.items), many=True).data, "pagination": page.pagination}


ITEM = CompiledQuery(lambda: Item.objects.owned_by(Parameter("owner")).filter(pk=Parameter("item")))


def _read(owner: Any, item_id: str) -> Item:
    """Do the same as _get, faster."""
    with suppress(ValueError):
        for item in ITEM.instances(owner=owner.pk, item=uuid.UUID(item_id)):
            return cast(Item, item)
    raise Http404


def _get(items: ItemQuerySet, item_id: str) -> Item:
    """Raise Http404 alike for an invalid id, a deleted item and an item of another user."""
    try:
        return items.get(pk=uuid.UUID(item_id))
    except (ValueError, Item.DoesNotExist):
        raise Http404 from None


def _created(response: Mapping[str, Any]) -> Response:
    headers = {"ETag": response["etag"], "Location": reverse("item", args=[response["item"]["id"]])}
    return Response(response["item"], status=status.HTTP_201_CREATED, headers=headers)


def _without_text(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the response that is stored, without the texts of the user."""
    kept = {name: value for name, value in response["item"].items() if name not in ("rawText", "rawTextIsCut", "title")}
    return {"item": kept, "etag": response["etag"]}


def _with_text(response: Mapping[str, Any], *, raw_text: str, enrich: bool) -> dict[str, Any]:
    """Restore the first response, with the text of the repeated request."""
    title = None if enrich else first_line(raw_text)
    # An earlier version has stored no reason. A new item has none.
    item = {"errorReason": None, **response["item"], "rawText": raw_text, "rawTextIsCut": False, "title": title}
    return {"item": {name: item[name] for name in ItemSerializer().fields}, "etag": response["etag"]}
