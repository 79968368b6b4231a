"""Permissions and groups as checkboxes, instead of Django's two lists, which screen readers cannot use."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Permission
from django.db.models import ManyToManyField
from django.forms.models import ModelChoiceIterator
from django.http import HttpRequest


class Checkboxes(forms.CheckboxSelectMultiple):
    template_name = "accounts/checkboxes.html"


class PermissionGroups(ModelChoiceIterator):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    def __iter__(self) -> Iterator[Any]:
        """Yield the permissions of each table together."""
        permissions: Any = self.queryset.select_related("content_type").order_by(
            "content_type__app_label", "content_type__model", "codename"
        )
        for table, of_table in groupby(permissions, key=lambda permission: str(permission.content_type)):
            yield table, [self.choice(permission) for permission in of_table]


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # likewise
    iterator = PermissionGroups

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class RightsAdmin(ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        kwargs["widget"] = Checkboxes
        if db_field.remote_field.model is Permission:
            kwargs["form_class"] = PermissionsField
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[arg-type]  # as Django calls it
