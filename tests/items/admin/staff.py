"""Staff users with the given permissions."""

from django.contrib.auth.models import Permission, User
from django.test import Client

EVERY_VERB = ("view_item", "change_item", "retry_item", "confirm_item", "discard_item")


def staff(username: str, *codenames: str) -> User:
    user = User.objects.create_user(username, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="items", codename__in=codenames))
    return user


def staff_client(username: str, *codenames: str) -> Client:
    client = Client()
    client.force_login(staff(username, *codenames))
    return client
