"""Changes of the tags of many items."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from items.audit import attributed
from items.models.item import COMPARED_TAGS, Item, ItemQuerySet
from items.states import Action, Status
from items.texts import TAGS_MAX_COUNT, comparable, tag_keys


class TagChange(NamedTuple):
    """Numbers of items. `refused` would have too many tags, or a draft without any."""

    changed: int
    refused: int


def lacking(items: ItemQuerySet, tags: Sequence[str]) -> ItemQuerySet:
    """Filter the items without all of the tags, so that adding them to many can be continued."""
    return items.alias(compared=COMPARED_TAGS).filter(~Q(compared__contains=[*map(comparable, tags)]))


def change_tags(ids: Collection[UUID], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> TagChange:
    """Change the tags of the items that can be edited, in one transaction.

    The tags to add must be clean, those to remove are matched in any spelling. Rows are locked in the order of their
    keys, which prevents deadlocks.
    """
    removed = set(map(comparable, remove))
    changed: list[Item] = []
    refused = 0
    with attributed():
        rows = Item.objects.filter(pk__in=ids).allowing(Action.EDIT).only("tags", "status")
        for item in rows.order_by("pk").select_for_update(no_key=True, of=("self",)):
            kept = [tag for tag in item.tags if comparable(tag) not in removed]
            present = set(map(comparable, kept))
            missing = [tag for tag in add if comparable(tag) not in present]
            tags = [*kept, *missing]
            if tags == item.tags:
                continue
            if (missing and len(tags) > TAGS_MAX_COUNT) or (not tags and item.status == Status.READY_TO_CONFIRM):
                refused += 1
                continue
            item.tags, item.tag_keys, item.updated_at = tags, tag_keys(tags), Now()
            changed.append(item)
        Item.objects.bulk_update(changed, ["tags", "tag_keys", "updated_at"])
    return TagChange(len(changed), refused)
