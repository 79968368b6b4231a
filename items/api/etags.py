"""ETags of an item, so that a client cannot overwrite a change that it has not seen."""

import hashlib
from typing import Any

from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from items.api.serializers import AttemptSerializer, ItemSerializer, UsageSerializer
from items.models import Item
from items.usage import TotalUsage, last_attempts


class Stale(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "STALE"
    default_detail = "The item has changed since you read it. Read it again, then decide."


def detail_of(item: Item, *, is_new: bool = False) -> tuple[dict[str, Any], str]:
    """Return the item as the owner sees it, with its last attempts, and a strong ETag of that.

    A new item has no attempts. The fields are those of ItemDetailSerializer.
    """
    attempts, usage = ([], TotalUsage.of([])) if is_new else last_attempts(item)
    detail = {
        **ItemSerializer(item).data,
        "formerDraft": item.former_draft,
        "attempts": AttemptSerializer(attempts, many=True).data,
        "usage": UsageSerializer(usage).data,
    }
    return detail, f'"{hashlib.sha256(JSONRenderer().render(detail)).hexdigest()[:32]}"'


def etag_of(item: Item, *, is_new: bool = False) -> str:
    """Return an ETag that changes whenever anything changes that the owner can see."""
    _, etag = detail_of(item, is_new=is_new)
    return etag


def refuse_stale(item: Item, *, if_match: str | None) -> None:
    """Raises Stale. Lock the row first, or the item may change afterwards."""
    if if_match is not None and not {"*", etag_of(item)} & set(parse_etags(if_match)):
        raise Stale


def is_unchanged(etag: str, *, if_none_match: str | None) -> bool:
    wanted = {tag.removeprefix("W/") for tag in parse_etags(if_none_match or "")}
    return bool({"*", etag} & wanted)
