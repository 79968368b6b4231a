"""The form on the page of an item: title, summary and tags."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from items.admin.labels import CHANGED_MEANWHILE
from items.models import Item
from items.states import Action, Status
from items.texts import SUMMARY_MAX_LENGTH, InvalidText, clean_summary, clean_tags, clean_title

DRAFT_FIELDS = ("title", "summary", "tags")


def cleaned(clean: Callable[[Any], Any], value: object) -> Any:
    """Clean by a rule of items.texts."""
    try:
        return clean(value)
    except InvalidText as error:
        reason = str(error)
    raise ValidationError(f"{reason[0].upper()}{reason[1:]}.")


class TextField(forms.CharField):
    """Several lines. A browser sends line breaks as CRLF, which would look like a change."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text


class TagsField(forms.CharField):
    """Tags, one per line, because a tag may contain a comma."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # the field's value is a list
        lines = re.split(r"\r\n?|\n", str(super().to_python(value)))
        return list(cleaned(clean_tags, [line for line in lines if line.strip()]))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return list(initial or []) != self.to_python(data)
        except ValidationError:
            return True


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    summary = TextField(
        required=False, max_length=SUMMARY_MAX_LENGTH, empty_value=None, widget=forms.Textarea(attrs={"rows": 4})
    )
    tags = TagsField(required=False, help_text="One per line.", widget=forms.Textarea(attrs={"rows": 5}))
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)
    """When the item was last changed, so that the form does not overwrite a change that it did not show."""

    class Meta:
        model = Item
        fields = DRAFT_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen_at"].initial = self.instance.updated_at.isoformat()
        is_ready = self.instance.status == Status.READY_TO_CONFIRM
        for name, is_required in {"title": True, "summary": is_ready, "tags": is_ready}.items():
            if name in self.fields:
                self.fields[name].required = is_required

    def clean_title(self) -> str:
        return str(cleaned(clean_title, self.cleaned_data["title"]))

    def clean_summary(self) -> str | None:
        summary: str | None = self.cleaned_data["summary"]
        return None if summary is None else str(cleaned(clean_summary, summary))

    def clean(self) -> dict[str, Any]:
        is_editable = Action.EDIT in self.instance.allowed_actions
        if is_editable and self.cleaned_data.get("seen_at") != self.fields["seen_at"].initial:
            raise ValidationError(CHANGED_MEANWHILE)
        return self.cleaned_data
