"""ETags of an item, so that a client cannot overwrite a change that it has not seen."""

import hashlib
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from items.api.serializers import ItemDetailSerializer
from items.models import Item


class Stale(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "STALE"
    default_detail = "The item has changed since you read it. Read it again, then decide."


def detail_of(item: Item) -> tuple[dict[str, Any], str]:
    """Return the item as the owner sees it, with its attempts, and a strong ETag of that."""
    prefetch_related_objects([item], "attempts")  # read twice
    detail = ItemDetailSerializer(item).data
    return detail, f'"{hashlib.sha256(JSONRenderer().render(detail)).hexdigest()[:32]}"'


def etag_of(item: Item) -> str:
    """Return an ETag that changes whenever anything changes that the owner can see."""
    _, etag = detail_of(item)
    return etag


def refuse_stale(item: Item, *, if_match: str | None) -> None:
    """Raises Stale. Lock the row first, or the item may change afterwards."""
    if if_match is not None and not {"*", etag_of(item)} & set(parse_etags(if_match)):
        raise Stale


def is_unchanged(etag: str, *, if_none_match: str | None) -> bool:
    wanted = {tag.removeprefix("W/") for tag in parse_etags(if_none_match or "")}
    return bool({"*", etag} & wanted)
