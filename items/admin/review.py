"""The detail page: one item, its whole history, and what a reviewer may do with it now."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from items.admin.actions import DONE, ItemModelAdmin, refusal
from items.admin.display import history
from items.admin.forms import DRAFT_FIELDS
from items.models import Item
from items.states import Action, InvalidTransition

CONFIRM_BUTTON = "_confirm"


class ItemReviewAdmin(ItemModelAdmin):
    """Every change goes through the item's own verbs, which look at the status under a lock."""

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<uuid:item_id>/retry/", guarded(self.retry_view), name="items_item_retry"),
            path("<uuid:item_id>/discard/", guarded(self.discard_view), name="items_item_discard"),
            *super().get_urls(),
        ]

    def retry_view(self, request: HttpRequest, item_id: UUID) -> HttpResponse:
        item = self._item_to_change(request, item_id)
        if item and request.method == "POST":
            self._move(request, item, Action.RETRY)
        return self._detail_page(request, item_id)

    def discard_view(self, request: HttpRequest, item_id: UUID) -> HttpResponse:
        """Ask first, then discard."""
        item = self._item_to_change(request, item_id)
        if item and request.method == "POST":
            self._move(request, item, Action.DISCARD)
        elif item and Action.DISCARD in item.allowed_actions:
            context = {
                **self.admin_site.each_context(request),
                "title": "Discard this item?",
                "subtitle": str(item),
                "opts": self.opts,
                "back_url": self._detail_url(request, item_id),
            }
            return TemplateResponse(request, "admin/items/item/discard.html", context)
        return self._detail_page(request, item_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except InvalidTransition as error:
            # Nothing was written: the page is one transaction, and it was rolled back.
            self.message_user(request, refusal(error), messages.ERROR)
            return self._detail_page(request, object_id)

    def save_model(self, request: HttpRequest, obj: Item, form: Any, change: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in DRAFT_FIELDS}
        if CONFIRM_BUTTON in request.POST:
            obj.confirm(**changes)
        else:
            obj.edit(**changes)

    def construct_change_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if CONFIRM_BUTTON in request.POST:
            return f"{DONE[Action.CONFIRM].capitalize()}."
        return super().construct_change_message(request, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Item) -> HttpResponse:
        if CONFIRM_BUTTON not in request.POST:
            return super().response_change(request, obj)
        self._say_done(request, Action.CONFIRM)
        return self._detail_page(request, obj.pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        item = kwargs["obj"]
        allowed = item.allowed_actions if self.has_change_permission(request, item) else ()
        context |= {
            "title": "Review item",
            "history": history(item),
            "may": {action.value: action in allowed for action in Action},
            "confirm_button": CONFIRM_BUTTON,
            "show_save": Action.EDIT in allowed,
            "show_save_and_continue": Action.EDIT in allowed,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _item_to_change(self, request: HttpRequest, item_id: UUID) -> Item | None:
        item = self.get_object(request, str(item_id))
        if not self.has_change_permission(request, item):
            raise PermissionDenied
        return item

    def _move(self, request: HttpRequest, item: Item, action: Action) -> None:
        try:
            item.retry() if action == Action.RETRY else item.discard()
        except InvalidTransition as error:
            self.message_user(request, refusal(error), messages.ERROR)
        else:
            self.log_change(request, item, f"{DONE[action].capitalize()}.")
            self._say_done(request, action)

    def _say_done(self, request: HttpRequest, action: Action) -> None:
        self.message_user(request, f"The item was {DONE[action]}.", messages.SUCCESS)

    def _detail_page(self, request: HttpRequest, item_id: object) -> HttpResponse:
        """Back to the item. The address of an item that does not exist leads on, with a message, from there."""
        return HttpResponseRedirect(self._detail_url(request, item_id))

    def _detail_url(self, request: HttpRequest, item_id: object) -> str:
        url = reverse("admin:items_item_change", args=(item_id,), current_app=self.admin_site.name)
        filters = self.get_preserved_filters(request)
        return str(add_preserved_filters({"preserved_filters": filters, "opts": self.opts}, url))
