"""Capture a text once, however often the same capture is begun again."""

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import User

from items.models import Item
from items.models.item import captured

# Of our own, so that these ids are like no other's that follow from a text.
NAMESPACE = uuid.UUID("6f6e6365-6c69-4465-8661-756c74000001")


def capture_once(owner: User, raw_texts: Iterable[str], *, enrich: bool) -> tuple[list[uuid.UUID], int]:
    """Store the texts that no call before this stored for the owner.

    Returns the ids of all of them, and how many are new. An id follows from the owner and the text, so that equal texts
    are one item, whatever has become of it meanwhile: one that was discarded does not come back.
    """
    items: dict[uuid.UUID, Item] = {}
    for raw_text in raw_texts:
        item = captured(owner=owner, raw_text=raw_text, enrich=enrich)
        item.id = id_of(owner, raw_text)
        items.setdefault(item.id, item)
    known = set(Item.objects.filter(id__in=items).values_list("id", flat=True))
    new = [item for item in items.values() if item.id not in known]
    # Somebody else may capture the same at this moment.
    Item.objects.bulk_create(new, ignore_conflicts=True)
    return list(items), len(new)


def id_of(owner: User, raw_text: str) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"{owner.pk}:{raw_text}")
