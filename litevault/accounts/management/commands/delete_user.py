"""Deletes a user with all items."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from items.management.command import ProjectCommand
from items.management.exit_codes import interruptible
from items.models import Item
from items.transfer.owners import similar_users
from litevault.accounts.deletion import delete_user


class Command(ProjectCommand):
    help = (
        "Delete a user with all items, attempts and tokens. The user is deactivated first, and calls to the model in "
        "flight are cancelled. Items are deleted in batches: if the command is interrupted, run it again. "
        "To keep the items, first run manage.py export_items --owner USER FILE."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="name of the user")
        parser.add_argument(
            "--yes", "--no-input", "--noinput", action="store_true", dest="yes", help="do not ask for confirmation"
        )

    def handle(self, *_args: Any, user: str, yes: bool, **_options: Any) -> None:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is no user {user}.{similar_users(user)}")
        if not yes:
            self._ask(found)
        with interruptible(self, f"The user {user} is inactive. Run the command again to continue."):
            deleted, _ = delete_user(found)
        done = f"Deleted {user} with {deleted.items:,} items and {deleted.attempts:,} attempts."
        self.report([done], user=user, items=deleted.items, attempts=deleted.attempts)

    def _ask(self, user: User) -> None:
        name = user.get_username()
        items = Item.objects.owned_by(user).count()
        self.stderr.write(
            f"{name} has {items:,} items. To keep a copy, first run: manage.py export_items --owner {name} FILE"
        )
        if not sys.stdin.isatty():
            raise CommandError("Nothing was deleted. Add --yes to delete the user without a question.")
        self.stderr.write("Type the name of the user to delete everything: ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip() != name:
            raise CommandError("Nothing was deleted.")
