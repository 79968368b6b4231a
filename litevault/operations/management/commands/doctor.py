"""Looks LiteVault over, and says what to do about what is wrong."""

import sys
from argparse import ArgumentTypeError
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandParser

from litevault.operations.doctor.examination import examine
from litevault.operations.doctor.finding import Finding
from litevault.operations.doctor.settings import settings_in_force


class Command(BaseCommand):
    help = (
        "Look over settings, web server, database, migrations, triggers, LISTEN, listeners, events, queue and model. "
        "Exits with 1 when something is wrong, and says what to do about it. Secrets are not shown."
    )
    # The command itself reports what is wrong with the database.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-model", action="store_true", help="Do not send a short text to the model, which may cost a little."
        )
        parser.add_argument("--no-events", action="store_true", help="Do without live events: miss no events process.")
        parser.add_argument(
            "--url",
            type=web_address,
            help="Also ask there, as a client would, whether the proxy leads to the web server and the events process: "
            "https://vault.example.com",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING("Settings"))
        for name, value in settings_in_force():
            self.stdout.write(f"  {name:<38} {value}")
        self.stdout.write(self.style.MIGRATE_HEADING("Findings"))
        looks = examine(
            asks_model=not options["no_model"], wants_events=not options["no_events"], url=options["url"] or ""
        )
        findings = [self._tell(finding) for finding in looks]
        wrong = sum(not finding.is_ok for finding in findings)
        if wrong:
            self.stdout.write(self.style.ERROR(f"{wrong} of {len(findings)} findings ask for something to be done."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("All is well."))

    def _tell(self, finding: Finding) -> Finding:
        """Say it as soon as it is known: the next look may take seconds."""
        mark = self.style.SUCCESS("ok   ") if finding.is_ok else self.style.ERROR("wrong")
        self.stdout.write(f"  {mark} {finding.subject:<12} {finding.says}")
        if finding.advice:
            self.stdout.write(f"        {finding.advice}")
        self.stdout.flush()
        return finding


def web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    raise ArgumentTypeError("must be https:// or http:// and the name of the web server, with no login in it")
