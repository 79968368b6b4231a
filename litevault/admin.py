"""The admin's name, and the tokens that open the API."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from items.admin.permissions import deletes_a_user
from litevault.models import ApiToken, ApiTokenQuerySet

if TYPE_CHECKING:
    TokenModelAdmin = admin.ModelAdmin[ApiToken]
    TokenModelForm = forms.ModelForm[ApiToken]
else:
    # Without a patch that only development installs, the classes take no parameter at run time.
    TokenModelAdmin = admin.ModelAdmin
    TokenModelForm = forms.ModelForm

admin.site.site_header = "LiteVault"
admin.site.site_title = "LiteVault"
admin.site.index_title = "Review"
admin.site.index_template = "admin/items/front_page.html"
# There are only a few tables, and the list of items needs the width.
admin.site.enable_nav_sidebar = False


class ApiTokenForm(TokenModelForm):
    """The user is typed by name: a list of ten thousand helps nobody. The browser has a calendar of its own."""

    user = forms.ModelChoiceField(
        get_user_model().objects.all(),
        to_field_name="username",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="The name of the user as whom the API is called.",
        error_messages={"invalid_choice": "There is no user of this name."},
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="In UTC. Empty: never.",
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "expires_at")

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise ValidationError("A token must expire in the future, or never.")
        return expires_at


@admin.action(permissions=["revoke"], description="Revoke selected tokens")
def revoke_selected(model_admin: TokenModelAdmin, request: HttpRequest, queryset: ApiTokenQuerySet) -> None:
    report_revoked(request, queryset.revoke())


def report_revoked(request: HttpRequest, count: int) -> None:
    if count:
        messages.success(request, f"{count} token{'' if count == 1 else 's'} revoked. Nobody gets in with it any more.")
    else:
        messages.warning(request, "Revoked already: nothing was changed.")


@admin.register(ApiToken)
class ApiTokenAdmin(TokenModelAdmin):
    """A token is made, looked at and revoked; it is never changed, and its digest is never shown."""

    list_display = ("name", "user", "hint", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "hint")
    show_full_result_count = False
    actions = (revoke_selected,)  # type: ignore[assignment]  # it knows one verb more
    form = ApiTokenForm

    class Media:
        css: ClassVar = {"all": ("items/admin.css",)}

    def get_urls(self) -> list[URLPattern]:
        revoke = path("<int:token_id>/revoke/", self.admin_site.admin_view(self.revoke_view), name="api_token_revoke")
        return [revoke, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("user", "name", "expires_at")
        return ("state", "user", "name", "hint", "created_at", "last_used_at", "expires_at", "revoked_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Tokens are revoked, not deleted. They go for good only with their user, on the page that deletes one."""
        return deletes_a_user(request) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: Any) -> None:
        issued, secret = ApiToken.objects.issue(user=obj.user, name=obj.name, expires_at=obj.expires_at)
        obj.pk = issued.pk
        obj.refresh_from_db()
        obj.secret = secret  # type: ignore[attr-defined]  # lives as long as this request, for response_add

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret in this very answer: a message would carry it through a cookie."""
        context = {**self.admin_site.each_context(request), "title": "Token made", "token": obj, "opts": self.opts}
        return TemplateResponse(request, "admin/litevault/apitoken/issued.html", context)

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
        return HttpResponseRedirect(reverse("admin:litevault_apitoken_change", args=(token_id,)))

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        return token.state
