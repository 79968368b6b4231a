"""The buttons on the page of an item, from the actions that its status and the reviewer's permissions allow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from items.admin.item_actions import ON_TO_NEXT
from items.models import Item
from items.states import Action
from items.words import KEYS

CONFIRM_BUTTON = "_confirm"
CONFIRM_NEXT_BUTTON = "_confirm_next"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemButton:
    """A button sends the page's form to `url` or, if it has a `name`, to the page itself. A question is a link."""

    label: str
    key: str = ""
    url: str = ""
    name: str = ""
    style: str = ""
    asks: bool = False


def item_buttons(
    item: Item, permitted: Sequence[Action], *, with_filters: Callable[[str], str]
) -> Iterator[ItemButton]:
    """Yield what the key of an action does first."""

    def url(action: Action, **query: str) -> str:
        return with_filters(f"{reverse(f'admin:items_item_{action.value}', args=(item.pk,))}?{urlencode(query)}")

    seen = {"seen": item.updated_at.isoformat()}
    for action in permitted:
        key = KEYS.get(action.value, "")
        if action == Action.CONFIRM:
            label, style = f"{action.label} and next", "default"
            if Action.EDIT in permitted:
                yield ItemButton(label=label, key=key, name=CONFIRM_NEXT_BUTTON, style=style)
                yield ItemButton(label=action.label, name=CONFIRM_BUTTON)
            else:
                yield ItemButton(label=label, key=key, url=url(action, **seen, **ON_TO_NEXT), style=style)
                yield ItemButton(label=action.label, url=url(action, **seen))
        elif action == Action.DISCARD:
            yield ItemButton(
                label=f"{action.label} and next", key=key, url=url(action, **seen, **ON_TO_NEXT), style="item-discard"
            )
            yield ItemButton(label=f"{action.label}…", url=url(action), style="item-discard", asks=True)
        elif action != Action.EDIT:
            yield ItemButton(label=action.label, key=key, url=url(action))
