"""Creates API tokens."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from items.management.command import ProjectCommand
from items.transfer.owners import similar_users
from litevault.accounts.models import LONGEST_TOKEN_DAYS, TOKEN_NAME_MAX_LENGTH, ApiToken


class Command(ProjectCommand):
    help = (
        "Create an API token and print it to standard output, and a sentence about it to standard error, so that "
        "TOKEN=$(manage.py create_token USER) works. "
        'Send it as "Authorization: Bearer TOKEN". '
        "It cannot be shown again; the admin lists and revokes tokens."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="name of the token's user")
        parser.add_argument("--name", default="command line", help="what the token is for (default: %(default)s)")
        parser.add_argument(
            "--expires-in",
            type=int,
            metavar="DAYS",
            help=f"days until it expires, 1 to {LONGEST_TOKEN_DAYS} (default: LITEVAULT_TOKEN_DAYS)",
        )
        parser.add_argument(
            "--create-user", action="store_true", help="create the user, without a password, if there is none"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        name = name_of(options["name"])
        expires_at = moment_in(options["expires_in"])
        with transaction.atomic():
            user = find_user(options["user"], or_create=options["create_user"])
            token, secret = ApiToken.objects.issue(user=user, name=name, expires_at=expires_at)
        until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "until it is revoked"
        if not self.is_json:
            self.advise(f"Token {token} for {user.get_username()}, valid {until}. It cannot be shown again.")
        self.report([secret], is_asked_for=True, token=secret, **token_record(token))


def token_record(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "user": token.user.get_username(),
        "name": token.name,
        "hint": token.hint,
        "state": token.state,
        "lastUsedAt": time_in_json(token.last_used_at),
        "expiresAt": time_in_json(token.expires_at),
    }


def time_in_json(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else None


def name_of(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= TOKEN_NAME_MAX_LENGTH:
        raise CommandError(f"--name takes 1 to {TOKEN_NAME_MAX_LENGTH} characters.")
    return name


def moment_in(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise CommandError(f"--expires-in takes 1 to {LONGEST_TOKEN_DAYS} days.")
    return timezone.now() + timedelta(days=days)


def find_user(username: str, *, or_create: bool) -> User:
    user = get_user_model().objects.filter(username=username).first()
    if user is None and or_create:
        return create_user(username)
    if user is None:
        raise CommandError(f"There is no user {username}.{similar_users(username)} Add --create-user to create it.")
    if not user.is_active:
        raise CommandError(f"The user {username} is not active. Activate the account in the admin first.")
    return user


def create_user(username: str) -> User:
    user = get_user_model()(username=username)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError:
        raise CommandError("A user name consists of 1 to 150 letters, digits and @ . + - _ characters.") from None
    user.save()
    return user
