"""The form on the page of an item: title, summary and tags."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError

from items.admin.labels import CHANGED_MEANWHILE
from items.models import Item
from items.states import Action, Status
from items.texts import (
    CONTROL_CHARACTER,
    SUMMARY_MAX_LENGTH,
    TAG_MAX_LENGTH,
    TAGS_MAX_COUNT,
    TITLE_MAX_LENGTH,
    normalise_tag,
)

DRAFT_FIELDS = ("title", "summary", "tags")


def refuse_control_characters(line: str) -> None:
    if CONTROL_CHARACTER.search(line):
        raise ValidationError("Line breaks and control characters are not allowed.")


class StoredField(forms.Field):
    """A field that keeps what is stored if the form sends it back as the page showed it, whatever the rules for a new
    value are. A page shows CR as a line break, and no line breaks in a field of one line.
    """

    stored: Any = None

    def clean(self, value: Any) -> Any:
        return self.stored if value and not self.has_changed(None, value) else super().clean(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self._as_sent(data) != self._as_sent(self.prepare_value(self.stored))

    def _as_sent(self, value: Any) -> str:
        lines = str(value or "").replace("\r\n", "\n").replace("\r", "\n")
        return lines if isinstance(self.widget, forms.Textarea) else lines.replace("\n", "")


class TitleField(StoredField, forms.CharField):
    def validate(self, value: Any) -> None:
        super().validate(value)
        refuse_control_characters(value or "")


class TextField(StoredField, forms.CharField):
    """Several lines. A browser sends line breaks as CRLF."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text


class TagsField(StoredField, forms.CharField):
    """Tags, one per line, because a tag may contain a comma."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # the field's value is a list
        tags = (normalise_tag(line) for line in str(super().to_python(value)).splitlines())
        return list(dict.fromkeys(tag for tag in tags if tag))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > TAGS_MAX_COUNT:
            raise ValidationError(f"An item can have at most {TAGS_MAX_COUNT} tags.")
        if any(len(tag) > TAG_MAX_LENGTH for tag in value):
            raise ValidationError(f"A tag can have at most {TAG_MAX_LENGTH} characters.")
        for tag in value:
            refuse_control_characters(tag)


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    title = TitleField(max_length=TITLE_MAX_LENGTH, empty_value=None, widget=AdminTextInputWidget)
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
        required = {"title": is_ready or self.instance.title is not None, "summary": is_ready, "tags": is_ready}
        for name, field in self.fields.items():
            if isinstance(field, StoredField):
                field.required = required[name]
                field.stored = getattr(self.instance, name)

    def clean(self) -> dict[str, Any]:
        is_editable = Action.EDIT in self.instance.allowed_actions
        if is_editable and self.cleaned_data.get("seen_at") != self.fields["seen_at"].initial:
            raise ValidationError(CHANGED_MEANWHILE)
        return self.cleaned_data
