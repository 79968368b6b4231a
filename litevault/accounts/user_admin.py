"""Users in the admin: Django's pages, except that a user is deleted in batches, and that rights are for superusers."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from items.admin.bulk import TIME_LIMIT_SECONDS
from items.admin.pausing import pause_context
from items.admin.queries import bounded_count
from items.admin.selection import CheckedSelectionAdmin
from items.models import Item
from litevault.accounts.deletion import delete_user
from litevault.accounts.models import ApiToken
from litevault.accounts.passwords import UserPasswordForm
from litevault.accounts.rights import RightsAdmin

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
"""The fields that only superusers see. Who may change them, or the password of staff, has every right."""


class BatchedUserAdmin(RightsAdmin, CheckedSelectionAdmin, UserAdmin):  # type: ignore[type-arg]  # Django's class takes no parameter at run time
    change_password_form = UserPasswordForm
    # A moment that happened is not changed by hand.
    readonly_fields = ("last_login", "date_joined")
    change_user_password_template = "admin/auth/user/password_and_tokens.html"  # noqa: S105  # a template

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field not in RIGHTS]})
            for name, options in fieldsets
        ]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return super().get_list_filter(request) if request.user.is_superuser else ("is_active",)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_below(obj, request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_below(obj, request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Users are deleted one at a time, on a page that says what belongs to them."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return cast(dict[str, Any], actions)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        user = kwargs.get("obj")
        return super().render_change_form(
            request, {**context, **(pause_context(request, user.pk) if user else {})}, *args, **kwargs
        )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, Any], set[str], list[str]]:
        """Count what belongs to the users instead of listing it."""
        owned = {
            Item: bounded_count(Item.objects.filter(owner__in=objs)),
            ApiToken: bounded_count(ApiToken.objects.filter(user__in=objs)),
        }
        counts = {str(model._meta.verbose_name_plural): count for model, count in owned.items()}
        forbidden = {
            str(model._meta.verbose_name)
            for model, count in owned.items()
            if count.number and not self.admin_site.get_model_admin(model).has_delete_permission(request)
        }
        return [str(user) for user in objs], {"users": len(objs), **counts}, forbidden, []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Leave out the transaction of Django's view, which would keep all items locked until the last is deleted."""
        return self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]  # the stubs lack it

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        _, is_complete = delete_user(obj, within_seconds=TIME_LIMIT_SECONDS)
        request.is_user_deleted = is_complete  # type: ignore[attr-defined]  # for response_delete

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        if request.is_user_deleted:  # type: ignore[attr-defined]  # see delete_model
            return super().response_delete(request, obj_display, obj_id)
        remaining = bounded_count(Item.objects.filter(owner_id=obj_id))
        messages.warning(
            request,
            f"Stopped at the time limit, with {remaining.of_items} remaining. The user {obj_display} is inactive. "
            f"Delete the user again to continue, or run: manage.py delete_user {obj_display}",
        )
        return HttpResponseRedirect(reverse("admin:auth_user_change", args=(obj_id,)))


class SuperusersGroupAdmin(RightsAdmin, CheckedSelectionAdmin, GroupAdmin):
    """Groups carry permissions, so that only superusers change them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)


def _is_below(user: User | None, request: HttpRequest) -> bool:
    """Whether the requesting user may act on the user: only superusers act on staff."""
    return user is None or bool(request.user.is_superuser) or not (user.is_staff or user.is_superuser)


admin.site.unregister(User)
admin.site.register(User, BatchedUserAdmin)
admin.site.unregister(Group)
admin.site.register(Group, SuperusersGroupAdmin)
