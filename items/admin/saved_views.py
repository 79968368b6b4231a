"""The links above the list of items: each is a set of filters that reviewers use often."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from items.admin.labels import Count
from items.admin.queries import bounded_count
from items.models import Item
from items.states import PENDING_STATUSES, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    label: str
    query: str
    status: Status | None = None
    count: Count | None = None
    is_current: bool = False


def saved_views(request: HttpRequest, *, oldest_first: str) -> list[SavedView]:
    """Return the pending statuses with their counts, failed first, and the views without counts.

    `oldest_first` is the value of Django's parameter for the order.
    """
    views = [
        SavedView(
            label=status.label,
            query=urlencode({"status": status}),
            status=status,
            count=bounded_count(Item.objects.filter(status=status)),
            is_current=_is_current(request, {"status": status}),
        )
        for status in reversed(PENDING_STATUSES)
    ]
    others = {
        "Ready, oldest first": {"status": Status.READY_TO_CONFIRM, "o": oldest_first},
        "Failed today": {"status": Status.FAILED, "age": "day"},
        "Mine": {"owner": request.user.get_username()},
        "All items": {},
    }
    views += [
        SavedView(label=label, query=urlencode(filters), is_current=_is_current(request, filters))
        for label, filters in others.items()
    ]
    return views


def _is_current(request: HttpRequest, filters: dict[str, str]) -> bool:
    """Whether the page shows the filters of a view and no others. The number of the page does not matter."""
    shown: QueryDict = request.GET
    ignored = ("p", "_facets")
    return {name: value for name, value in shown.items() if value and name not in ignored} == filters
