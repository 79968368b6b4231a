"""The permission that each action requires."""

from collections.abc import Mapping
from types import MappingProxyType

from django.http import HttpRequest

from items.models import Item
from items.states import Action

PERMISSIONS: Mapping[Action, str] = MappingProxyType(
    {
        Action.EDIT: "items.change_item",
        Action.CONFIRM: "items.confirm_item",
        Action.RETRY: "items.retry_item",
        Action.REDRAFT: "items.retry_item",
        Action.DISCARD: "items.discard_item",
        Action.RESTORE: "items.discard_item",
    }
)


def may(request: HttpRequest, action: Action) -> bool:
    return request.user.has_perm(PERMISSIONS[action])


def permitted_actions(request: HttpRequest, item: Item) -> tuple[Action, ...]:
    """The actions that the item's status allows and that this user may take."""
    return tuple(action for action in item.allowed_actions if may(request, action))


def deletes_a_user(request: HttpRequest) -> bool:
    """Whether the page deletes a user: items and tokens are only deleted together with their user."""
    page = request.resolver_match.url_name if request.resolver_match else None
    return bool(page and page.startswith("auth_user_"))
