"""The detail page: one item, its whole history, and what a reviewer may do with it now."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from items.admin.forms import DRAFT_FIELDS, ItemForm
from items.admin.permissions import may, permitted_actions
from items.admin.reports import DONE, GONE, refusal
from items.admin.timeline import history
from items.admin.verbs import ItemVerbsAdmin
from items.models import Item
from items.states import Action, InvalidTransition

CONFIRM_BUTTON = "_confirm"
QUEUE_FIELDS = ("attempt_count", "available_at", "claimed_by", "claimed_at", "fencing_token")


class ItemReviewAdmin(ItemVerbsAdmin):
    """Every change goes through the item's own verbs, which look at the status under a lock."""

    form = ItemForm
    fieldsets: ClassVar = (
        (None, {"fields": ("status_badge", "enrichment_error", *DRAFT_FIELDS, "source_type", "folded_text")}),
        ("Origin", {"fields": ("id", "owner", "enrichment_mode", "created_at", "updated_at", "confirmed_at")}),
        ("Queue", {"fields": QUEUE_FIELDS, "classes": ("collapse",), "description": "What the workers go by."}),
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
        # Whatever is raised, nothing was written: the page is one transaction, and it was rolled back.
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except InvalidTransition as error:
            self.message_user(request, refusal(error), messages.ERROR)
            return HttpResponseRedirect(self.detail_url(request, object_id))
        except Item.DoesNotExist:
            return self._say_gone(request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, *_args: Any) -> HttpResponse:
        return self._say_gone(request)

    def _say_gone(self, request: HttpRequest) -> HttpResponse:
        self.message_user(request, GONE, messages.WARNING)
        return HttpResponseRedirect(self.list_url(request))

    def save_model(self, request: HttpRequest, obj: Item, form: Any, change: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in DRAFT_FIELDS}
        if CONFIRM_BUTTON not in request.POST:
            obj.edit(**changes)
        elif may(request, Action.CONFIRM):
            obj.confirm(**changes)
        else:
            raise PermissionDenied

    def construct_change_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if CONFIRM_BUTTON in request.POST:
            return f"{DONE[Action.CONFIRM].capitalize()}."
        return super().construct_change_message(request, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Item) -> HttpResponse:
        if CONFIRM_BUTTON not in request.POST:
            return super().response_change(request, obj)
        self.say_done(request, Action.CONFIRM, obj)
        return HttpResponseRedirect(self.detail_url(request, obj.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        item = kwargs["obj"]
        permitted = permitted_actions(request, item)
        context |= {
            "title": "Review item",
            "history": history(item),
            "may": {action.value: action in permitted for action in Action},
            "confirm_button": CONFIRM_BUTTON,
            "show_save": Action.EDIT in permitted,
            "show_save_and_continue": Action.EDIT in permitted,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _is_editable(self, request: HttpRequest, obj: Item | None) -> bool:
        return obj is not None and Action.EDIT in permitted_actions(request, obj)
