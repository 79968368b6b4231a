"""Revokes API tokens."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from items.management.command import ProjectCommand
from litevault.accounts.models import ApiToken


class Command(ProjectCommand):
    help = "Revoke tokens immediately and permanently. manage.py list_tokens shows their ids."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", metavar="ID", nargs="+", type=int, help="the id of a token")

    def handle(self, *_args: Any, ids: list[int], **_options: Any) -> None:
        tokens = ApiToken.objects.filter(pk__in=ids)
        unknown = sorted(set(ids) - {token.pk for token in tokens})
        if unknown:
            raise CommandError(f"There is no token {', '.join(map(str, unknown))}. Nothing was revoked.")
        count = tokens.revoke()
        self.report([f"{count} token{'' if count == 1 else 's'} revoked."], revoked=count)
