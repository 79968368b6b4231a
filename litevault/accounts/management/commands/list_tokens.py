"""Lists API tokens."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from items.management.command import ProjectCommand
from items.management.terminal import in_columns
from items.transfer.owners import get_owner
from litevault.accounts.management.commands.create_token import token_record
from litevault.accounts.models import ApiToken

HEADINGS = ("ID", "USER", "NAME", "BEGINS WITH", "STATE", "LAST USED", "EXPIRES")


class Command(ProjectCommand):
    help = "List the tokens of all users or of one, without their secrets, which are not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", nargs="?", help="only the tokens of this user")

    def handle(self, *_args: Any, user: str | None, **_options: Any) -> None:
        found = ApiToken.objects.select_related("user")
        if user is not None:
            found = found.filter(user=get_owner(user))
        tokens = list(found)
        lines = in_columns([HEADINGS, *map(row_of, tokens)], self.encoding)
        self.report(lines, is_asked_for=True, tokens=[*map(token_record, tokens)])


def row_of(token: ApiToken) -> tuple[str, ...]:
    times = (moment(token.last_used_at), moment(token.expires_at))
    return (str(token.pk), token.user.get_username(), token.name, token.hint, token.state, *times)


def moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "never"
