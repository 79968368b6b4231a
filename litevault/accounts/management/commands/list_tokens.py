"""Lists API tokens."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from litevault.accounts.models import ApiToken

HEADINGS = ("ID", "USER", "NAME", "BEGINS WITH", "STATE", "LAST USED", "EXPIRES")


class Command(BaseCommand):
    help = "List the tokens of all users or of one, without their secrets, which are not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", nargs="?", help="only the tokens of this user")

    def handle(self, *_args: Any, user: str | None, **_options: Any) -> None:
        tokens = ApiToken.objects.select_related("user")
        found = tokens.filter(user__username=user) if user else tokens
        rows = [HEADINGS, *(row_of(token) for token in found)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def row_of(token: ApiToken) -> tuple[str, ...]:
    times = (moment(token.last_used_at), moment(token.expires_at))
    return (str(token.pk), token.user.get_username(), token.name, token.hint, token.state, *times)


def moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "never"
