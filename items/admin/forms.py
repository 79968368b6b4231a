"""The form on the page of an item: title, summary and tags."""

import re
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString

from items.admin.comparison import changed_words
from items.admin.labels import CHANGED_MEANWHILE
from items.models import Item
from items.states import Action, Status
from items.texts import (
    SUMMARY_MAX_LENGTH,
    TITLE_MAX_LENGTH,
    InvalidText,
    clean_summary,
    clean_tags,
    clean_title,
    with_line_feeds,
)
from items.words import KEYS

DRAFT_FIELDS = ("title", "summary", "tags")


def cleaned(clean: Callable[[Any], Any], value: object) -> Any:
    """Clean by a rule of items.texts."""
    try:
        return clean(value)
    except InvalidText as error:
        reason = str(error)
    raise ValidationError(f"{reason[0].upper()}{reason[1:]}.")


def _lines(value: Any) -> str:
    return with_line_feeds(str(value or ""))


class StoredField(forms.Field):
    """A field that keeps what is stored if the form sends it back as the page showed it.

    It keeps it even if a new value like it would be refused. A page shows CR as a line break, and no line breaks in a
    field of one line.
    """

    stored: Any = None

    def clean(self, value: Any) -> Any:
        return self.stored if value and not self.has_changed(None, value) else super().clean(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self._as_sent(data) != self._as_sent(self.prepare_value(self.stored))

    def _as_sent(self, value: Any) -> str:
        lines = _lines(value)
        return lines if isinstance(self.widget, forms.Textarea) else lines.replace("\n", "")


class TitleField(StoredField, forms.CharField):
    def to_python(self, value: Any) -> str | None:
        title = super().to_python(value)
        return str(cleaned(clean_title, title)) if title else title


class TextField(StoredField, forms.CharField):
    """Several lines. A browser sends line breaks as CRLF."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return str(cleaned(clean_summary, text.replace("\r\n", "\n"))) if text else text


class TagsField(StoredField, forms.CharField):
    """Tags, one per line, because a tag may contain a comma."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # the field's value is a list
        lines = re.split(r"\r\n?|\n", str(super().to_python(value)))
        return list(cleaned(clean_tags, [line for line in lines if line.strip()]))


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    # The template of attributes makes a counter of maxlength.
    title = TitleField(
        empty_value=None,
        widget=AdminTextInputWidget(
            attrs={"maxlength": TITLE_MAX_LENGTH, "data-key": KEYS[Action.EDIT], "data-key-label": Action.EDIT.label}
        ),
    )
    summary = TextField(
        required=False, empty_value=None, widget=forms.Textarea(attrs={"rows": 4, "maxlength": SUMMARY_MAX_LENGTH})
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

    def changes_typed(self) -> list[tuple[str, SafeString]]:
        """Return the fields of a refused form that differ from what is stored, with their changed words marked."""
        changes = []
        for bound in (self[name] for name in DRAFT_FIELDS):
            field = cast(StoredField, bound.field)
            stored, typed = _lines(field.prepare_value(field.stored)), _lines(bound.value())
            if stored != typed:
                changes.append((str(bound.label), changed_words(stored, typed)))
        return changes

    def clean(self) -> dict[str, Any]:
        is_editable = Action.EDIT in self.instance.allowed_actions
        if is_editable and self.cleaned_data.get("seen_at") != self.fields["seen_at"].initial:
            raise ValidationError(CHANGED_MEANWHILE)
        return self.cleaned_data
