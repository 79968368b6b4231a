"""API tokens in the admin. Importing the module also registers the pages of users."""

from datetime import datetime
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from items.admin.permissions import deletes_a_user
from items.admin.selection import CheckedSelectionAdmin
from litevault.accounts import user_admin  # noqa: F401  # registers its pages
from litevault.accounts.models import ApiToken


class OwnTokenForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    """For staff, who issue tokens for themselves. Leave the calendar to the browser."""

    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="In UTC. Empty: LITEVAULT_TOKEN_DAYS from now.",
    )

    class Meta:
        model = ApiToken
        fields: ClassVar = ["name", "expires_at"]

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise ValidationError("The expiry must be in the future.")
        return expires_at


class ApiTokenForm(OwnTokenForm):
    """For superusers. Take the user by name, because a list would not scale."""

    user = forms.ModelChoiceField(
        get_user_model().objects.all(),
        to_field_name="username",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="The name of the user that requests with this token act as.",
        error_messages={"invalid_choice": "There is no user with this name."},
    )

    class Meta:
        model = ApiToken
        fields: ClassVar = ["user", "name", "expires_at"]


@admin.action(permissions=["revoke"], description="Revoke selected tokens")
def revoke_selected(model_admin: "ApiTokenAdmin", request: HttpRequest, queryset: Any) -> None:
    report_revoked(request, queryset.revoke())


def report_revoked(request: HttpRequest, count: int) -> None:
    if count:
        revoked, them = ("token revoked", "it") if count == 1 else ("tokens revoked", "them")
        messages.success(request, f"{count} {revoked}. Requests that use {them} are refused from now on.")
    else:
        messages.warning(request, "Already revoked: nothing was changed.")


@admin.register(ApiToken)
class ApiTokenAdmin(CheckedSelectionAdmin):
    """Tokens are created, viewed and revoked, but never changed. Their digests are never shown."""

    list_display = ("name", "user", "hint", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "hint")
    show_full_result_count = False
    actions = (revoke_selected,)

    def get_urls(self) -> list[URLPattern]:
        revoke = path("<int:token_id>/revoke/", self.admin_site.admin_view(self.revoke_view), name="api_token_revoke")
        return [revoke, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("user", "name", "expires_at") if request.user.is_superuser else ("name", "expires_at")
        return ("state", "user", "name", "hint", "created_at", "last_used_at", "expires_at", "revoked_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj else ()

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, *args: Any, **kwargs: Any) -> Any:
        form = ApiTokenForm if request.user.is_superuser else OwnTokenForm
        return super().get_form(request, obj, *args, **{"form": form, **kwargs})

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Tokens are revoked, not deleted. The page that deletes a user also deletes the user's tokens."""
        return deletes_a_user(request) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: Any) -> None:
        if not request.user.is_superuser:
            obj.user = cast(User, request.user)
        issued, secret = ApiToken.objects.issue(user=obj.user, name=obj.name, expires_at=obj.expires_at)
        obj.pk = issued.pk
        obj.refresh_from_db()
        obj.secret = secret  # type: ignore[attr-defined]  # for response_add, in the same request

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret in this response: a message would store it in a cookie."""
        context = {**self.admin_site.each_context(request), "title": "Token created", "token": obj, "opts": self.opts}
        return TemplateResponse(request, "admin/accounts/apitoken/issued.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        token = kwargs.get("obj")
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        context["may_revoke"] = token and token.revoked_at is None and self.has_revoke_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def revoke_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            report_revoked(request, ApiToken.objects.filter(pk=token_id).revoke())
        return HttpResponseRedirect(reverse("admin:accounts_apitoken_change", args=(token_id,)))

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        return token.state
