"""The users whose items are captured, imported and exported."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from items.suggestions import did_you_mean

DEFAULT_OWNER = "demo"
SEARCHED = 1000


def get_or_create_owner(name: str) -> User:
    """Return the active user with this name. Create the default one, and in development any other.

    Raises CommandError for an invalid name, a missing user or an inactive user.
    """
    try:
        User(username=name).clean_fields(exclude={"password"})
    except ValidationError:
        raise CommandError("A user name has 1 to 150 characters: letters, digits and @ . + - _") from None
    if name == DEFAULT_OWNER or settings.DEBUG:
        owner, _ = User.objects.get_or_create(username=name, defaults={"password": make_password(None)})
    else:
        owner = get_owner(name)
    if not owner.is_active:
        raise CommandError(f"The user {name} is not active. Activate the account in the admin first.")
    return owner


def get_owner(name: str) -> User:
    """Raises CommandError."""
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        raise CommandError(
            f"There is no user {name}.{similar_users(name)} "
            "Create one in the admin, or with: manage.py create_token --create-user"
        ) from None


def similar_users(name: str) -> str:
    """Suggest users whose names begin with the same letter."""
    names = User.objects.filter(username__istartswith=name[:1]).values_list("username", flat=True)
    return did_you_mean(name, names.order_by("username")[:SEARCHED])
