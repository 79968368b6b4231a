"""The action of the list that adds tags to the selected items, or removes some, and its form."""

from typing import Any
from uuid import UUID

import structlog
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from items.admin.actions import report_unchanged
from items.admin.bulk import BulkResult, in_batches
from items.admin.forms import TagsField
from items.admin.labels import Count
from items.admin.queries import bounded_count
from items.models import Item
from items.models.tagging import change_tags, lacking
from items.states import Action, statuses_allowing
from items.texts import TAGS_MAX_COUNT, comparable

TAGS_REFUSED = f"An item may hold at most {TAGS_MAX_COUNT} tags, and a draft needs at least one."

log = structlog.get_logger(__name__)


class TagChangesForm(forms.Form):
    add = TagsField(label="Tags to add", required=False, widget=forms.Textarea(attrs={"rows": 4}))
    remove = TagsField(label="Tags to remove", required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def clean(self) -> dict[str, Any]:
        add, remove = (self.cleaned_data.get(name) or [] for name in ("add", "remove"))
        if not self.errors and not add and not remove:
            raise ValidationError("Enter a tag to add or to remove.")
        if {*map(comparable, add)} & {*map(comparable, remove)}:
            raise ValidationError("The same tag cannot be added and removed.")
        return self.cleaned_data


@admin.action(permissions=["change"], description="Edit tags of selected items…")
def edit_tags_of_selected(
    model_admin: "admin.ModelAdmin[Item]", request: HttpRequest, queryset: Any
) -> HttpResponse | None:
    """Ask for the tags, and change them in batches until none remains or the time limit is reached."""
    form = TagChangesForm(request.POST if "confirmed" in request.POST else None)
    covers_all_matching = request.POST.get("select_across") == "1"
    ids = {UUID(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)}
    # Not from the filtered queryset: also report selected items that no longer match the filter.
    items = queryset if covers_all_matching else Item.objects.filter(pk__in=ids)
    if not form.is_valid():
        return _ask(model_admin, request, form, count=bounded_count(items.allowing(Action.EDIT)))
    refused_status = bounded_count(items.exclude(status__in=statuses_allowing(Action.EDIT)))
    add, remove = form.cleaned_data["add"], form.cleaned_data["remove"]
    changed = refused = 0

    def change(batch: list[UUID]) -> None:
        nonlocal changed, refused
        result = change_tags(batch, add=add, remove=remove)
        changed, refused = changed + result.changed, refused + result.refused

    missing = 0 if covers_all_matching else len(ids) - items.count()
    editable = items.allowing(Action.EDIT)
    # A tag to remove may be stored in a spelling that only Python compares.
    remaining = in_batches(editable if remove else lacking(editable, add), change)
    log.info(
        "items.reviewed",
        action="edit_tags",
        changed=changed,
        refused=refused,
        left=remaining.number,
        by=request.user.pk,
    )
    level = messages.SUCCESS if changed else messages.WARNING
    messages.add_message(request, level, f"Tags of {Count(changed).of_items} changed.")
    if refused:
        messages.warning(request, f"{Count(refused).of_items} refused: {TAGS_REFUSED}")
    result = BulkResult(changed=changed, refused=refused_status, missing=missing, remaining=remaining)
    report_unchanged(request, Action.EDIT, result)
    return None


def _ask(
    model_admin: "admin.ModelAdmin[Item]", request: HttpRequest, form: TagChangesForm, *, count: Count
) -> HttpResponse:
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": f"Edit the tags of {count.of_items}",
        "opts": model_admin.opts,
        "form": form,
        "covers_all_matching": request.POST.get("select_across") == "1",
        "hidden_fields": [
            ("action", "edit_tags_of_selected"),
            ("select_across", request.POST.get("select_across", "0")),
            ("confirmed", "yes"),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
        "back_url": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/items/item/edit_tags.html", context)
