"""The page behind the button that undoes a bulk discard."""

from django.core.exceptions import PermissionDenied
from django.db.models import Max, UUIDField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path

from items.admin.actions import report
from items.admin.bulk import BulkResult, change_matching
from items.admin.item_actions import ItemActionsAdmin
from items.admin.permissions import may
from items.admin.undo_button import BulkDiscard
from items.audit import AuditAction
from items.models import AuditEvent, Item
from items.states import Action

DIGITS_OF_AN_ID = 18


class UndoAdmin(ItemActionsAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.undo_view)
        return [path("undo/", view, name="items_item_undo"), *super().get_urls()]

    def undo_view(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (may(request, Action.RESTORE) and self.has_view_permission(request)):
            raise PermissionDenied
        discard = _sent(request)
        result = restore_all(request, discard) if discard else BulkResult(changed=0)
        undo = None
        if discard and result.remaining.number:
            undo = discard.undo_button(request, filters=self.get_preserved_filters(request))
        report(request, Action.RESTORE, result, undo=undo)
        return HttpResponseRedirect(self.list_url(request))


def _sent(request: HttpRequest) -> BulkDiscard | None:
    since, request_id = request.POST.get("since", ""), request.POST.get("request_id", "")
    if not (since.isascii() and since.isdigit() and len(since) <= DIGITS_OF_AN_ID) or "\x00" in request_id:
        return None
    return BulkDiscard(request_id=request_id, since=int(since))


def restore_all(request: HttpRequest, discard: BulkDiscard) -> BulkResult:
    """Restore what the user has discarded, except items that were changed since then."""
    events = AuditEvent.objects.filter(
        actor_name=request.user.get_username(),
        actor_id=request.user.pk,
        id__gt=discard.since,
        request_id=discard.request_id,
        action=AuditAction.DISCARD,
        object_kind="item",
    ).order_by()
    # The event and the change have the time of their transaction.
    last_at = events.aggregate(last=Max("at"))["last"]
    if last_at is None:
        return BulkResult(changed=0)
    ids = events.annotate(item_id=Cast("object_id", UUIDField())).values("item_id")
    return change_matching(Item.objects.filter(pk__in=ids, updated_at__lte=last_at), Action.RESTORE)
