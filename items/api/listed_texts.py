"""The texts in lists, where a long text is cut."""

from collections.abc import Sequence

from django.db.models.functions import Left

from items.models import Item
from items.texts import LISTED_TEXT_MAX_LENGTH, beginning


def with_texts(items: Sequence[Item]) -> list[Item]:
    """Read the texts of items that were read without them. Leave out items that were deleted meanwhile.

    This is a query of its own because a query that sorts would read the texts of all items that match, not only those
    of the page.
    """
    texts = dict(
        Item.objects.filter(pk__in=[item.pk for item in items]).values_list(
            "pk", Left("raw_text", LISTED_TEXT_MAX_LENGTH + 1)
        )
    )
    found = [item for item in items if item.pk in texts]
    for item in found:
        text = texts[item.pk]
        item.raw_text = beginning(text, LISTED_TEXT_MAX_LENGTH)
        item.raw_text_is_cut = len(text) > LISTED_TEXT_MAX_LENGTH
    return found
