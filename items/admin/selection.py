"""Lists that refuse a made-up selection, on which Django's own would fail."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse


class CheckedSelectionAdmin(ModelAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(key)
        except ValidationError:
            self.message_user(request, "The selection is malformed. Nothing was changed.", "error")
            return None
        return super().response_action(request, *args, **kwargs)
