"""The page of one item: its draft, text and attempts, and what a reviewer may do with it now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from items.admin.charts import share
from items.admin.comparison import Comparison, changes_since
from items.admin.forms import DRAFT_FIELDS, ItemForm
from items.admin.item_actions import ItemActionsAdmin
from items.admin.item_buttons import CONFIRM_BUTTON, CONFIRM_NEXT_BUTTON, item_buttons
from items.admin.labels import DONE, GONE, duration, item_name, refusal
from items.admin.neighbours import Neighbours
from items.admin.permissions import may, permitted_actions
from items.models import AuditEvent, EnrichmentAttempt, Item
from items.states import Action, InvalidTransition, Status
from items.usage import TotalUsage, last_attempts

EVENTS_SHOWN = 100
QUEUE_FIELDS = (
    "attempt_count",
    "refund_count",
    "available_at",
    "claimed_by",
    "claimed_at",
    "fencing_token",
    "request_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """`share` is the attempt's duration in hundredths of the longest one."""

    attempt: EnrichmentAttempt
    waited: str
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTable:
    rows: Sequence[AttemptRow]
    duration_ms: int
    usage: TotalUsage

    @classmethod
    def of(cls, item: Item) -> "AttemptTable":
        attempts, usage = last_attempts(item)
        return cls(
            rows=list(_attempt_rows(item, attempts)),
            duration_ms=sum(attempt.duration_ms for attempt in attempts),
            usage=usage,
        )

    @property
    def is_whole(self) -> bool:
        return not self.rows or self.rows[0].attempt.number == 1


def _attempt_rows(item: Item, attempts: Sequence[EnrichmentAttempt]) -> Iterator[AttemptRow]:
    longest = max((attempt.duration_ms for attempt in attempts), default=0)
    waits_since = item.created_at if attempts and attempts[0].number == 1 else None
    for attempt in attempts:
        waited = duration((attempt.started_at - waits_since).total_seconds()) if waits_since else "–"
        yield AttemptRow(attempt=attempt, waited=waited, share=share(attempt.duration_ms, longest))
        waits_since = attempt.finished_at


class ItemPageAdmin(ItemActionsAdmin):
    """Every change goes through a method of the item, which checks the status under a lock."""

    form = ItemForm
    object_history_template = "admin/items/item/history.html"
    fieldsets: ClassVar = (
        (None, {"fields": ("status_badge", "enrichment_error", *DRAFT_FIELDS, "source_type")}),
        ("Origin", {"fields": ("id", "owner", "enrichment_mode", "created_at", "updated_at", "confirmed_at")}),
        ("Queue", {"fields": QUEUE_FIELDS, "classes": ("collapse",), "description": "What the workers use."}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Item | None = None) -> Any:
        first, *others = self.fieldsets
        if not self._is_editable(request, obj):
            return self.fieldsets
        name, options = first
        return [(name, {**options, "fields": (*options["fields"], "seen_at")}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Item | None = None) -> list[str]:
        shown = flatten_fieldsets(self.fieldsets)
        if self._is_editable(request, obj):
            return [field for field in shown if field not in DRAFT_FIELDS]
        return shown

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The view is one transaction, so that nothing was written when it raises.
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except InvalidTransition as error:
            self.message_user(request, refusal(error), messages.ERROR)
            return HttpResponseRedirect(self.detail_url(request, object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id)
        events = AuditEvent.objects.filter(object_id=item.pk)[:EVENTS_SHOWN] if item else ()
        return super().history_view(request, object_id, {"events": events, **(extra_context or {})})

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, *_args: Any) -> HttpResponse:
        self.message_user(request, GONE, messages.WARNING)
        return HttpResponseRedirect(self.list_url(request))

    def save_model(self, request: HttpRequest, obj: Item, form: Any, change: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in DRAFT_FIELDS}
        if not _confirms(request):
            obj.edit(**changes)
        elif may(request, Action.CONFIRM):
            obj.confirm(**changes)
        else:
            raise PermissionDenied

    def construct_change_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if _confirms(request):
            return f"{DONE[Action.CONFIRM].capitalize()}."
        return super().construct_change_message(request, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Item) -> HttpResponse:
        if not _confirms(request):
            return super().response_change(request, obj)
        self.report_done(request, Action.CONFIRM, obj)
        if CONFIRM_NEXT_BUTTON in request.POST:
            return self.redirect_to_next(request, obj, status=Status.READY_TO_CONFIRM)
        return HttpResponseRedirect(self.detail_url(request, obj.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        item = kwargs["obj"]
        permitted = permitted_actions(request, item)
        neighbours = Neighbours.of(item, self.listed_items(request))
        context |= {
            "title": "Review item",
            "attempts": AttemptTable.of(item),
            "item_name": item_name(item),
            "buttons": list(item_buttons(item, permitted, with_filters=partial(self._with_filters, request))),
            "neighbours": neighbours,
            "previous_url": neighbours.previous and self.detail_url(request, neighbours.previous),
            "next_url": neighbours.next and self.detail_url(request, neighbours.next),
            "list_url": self.list_url(request),
            "comparison": Comparison.of(item),
            "redraft_changes": changes_since(item.former_draft, item),
            "show_save": Action.EDIT in permitted,
            "show_save_and_continue": Action.EDIT in permitted,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="status")
    def status_badge(self, item: Item) -> SafeString:
        return format_html(
            '<span class="item-status item-{}">{}</span>', item.status.lower(), Status(item.status).label
        )

    def _is_editable(self, request: HttpRequest, obj: Item | None) -> bool:
        return obj is not None and Action.EDIT in permitted_actions(request, obj)


def _confirms(request: HttpRequest) -> bool:
    return CONFIRM_BUTTON in request.POST or CONFIRM_NEXT_BUTTON in request.POST
