"""Whose items a capture makes."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

DEFAULT_OWNER = "demo"


def find_owner(name: str) -> User:
    """The user of that name. The default one is made on first use, and any other too while developing.

    Raises CommandError if there is no such user, or no such user who is active.
    """
    try:
        User._meta.get_field("username").clean(name, None)
    except ValidationError:
        raise CommandError("A user's name takes 1 to 150 letters, digits and @ . + - _ characters.") from None
    if name == DEFAULT_OWNER or settings.DEBUG:
        owner, _ = User.objects.get_or_create(username=name, defaults={"password": make_password(None)})
    else:
        owner = existing(name)
    if not owner.is_active:
        raise CommandError(f"The user {name} is not active. Make the account active in the admin first.")
    return owner


def existing(name: str) -> User:
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        raise CommandError(
            f"There is no user {name}. Make one in the admin, or with: manage.py create_token --create-user"
        ) from None
