"""Create the two groups that most installations need."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from items.management.command import ProjectCommand

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Reviewers": ("view_item", "change_item", "retry_item", "confirm_item", "discard_item"),
        "Readers": ("view_item",),
    }
)


class Command(ProjectCommand):
    help = (
        "Create the groups Reviewers (view, edit, retry, confirm and discard items) and Readers (view items) for the "
        "admin. Running this again restores missing permissions and removes none."
    )

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        groups = {}
        for name, codenames in GROUPS.items():
            group, is_new = Group.objects.get_or_create(name=name)
            permissions = Permission.objects.filter(content_type__app_label="items", codename__in=codenames)
            group.permissions.add(*permissions)
            groups[name] = {"created": is_new, "permissions": codenames}
            self.report([f"{'Created' if is_new else 'Found'} {name}: {', '.join(codenames)}."], groups=groups)
