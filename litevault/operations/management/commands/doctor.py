"""Checks the installation and says how to fix what is wrong."""

import sys
from argparse import ArgumentTypeError
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandParser

from litevault.operations.doctor.checks import run_checks
from litevault.operations.doctor.result import CheckResult
from litevault.operations.doctor.settings import settings_in_force


class Command(BaseCommand):
    help = (
        "Check settings, web server, database, migrations, triggers, LISTEN, listeners, events, queue and model. "
        "Exits with 1 when a check fails, and says how to fix it. Secrets are not shown."
    )
    # The command itself reports problems with the database.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-model", action="store_true", help="Do not send a short text to the model, which may cost a little."
        )
        parser.add_argument("--no-events", action="store_true", help="Expect no events process.")
        parser.add_argument(
            "--url",
            type=web_address,
            help="Also check, as a client, that the proxy at this address passes requests to the web server and the "
            "events process, such as https://vault.example.com",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING("Settings"))
        for name, value in settings_in_force():
            self.stdout.write(f"  {name:<38} {value}")
        self.stdout.write(self.style.MIGRATE_HEADING("Checks"))
        checks = run_checks(
            calls_model=not options["no_model"], expects_events=not options["no_events"], url=options["url"] or ""
        )
        results = [self._print(result) for result in checks]
        failed = sum(not result.is_ok for result in results)
        if failed:
            self.stdout.write(self.style.ERROR(f"{failed} of {len(results)} checks failed."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("All checks passed."))

    def _print(self, result: CheckResult) -> CheckResult:
        """Print and flush at once: the next check may take seconds."""
        mark = self.style.SUCCESS("ok    ") if result.is_ok else self.style.ERROR("failed")
        self.stdout.write(f"  {mark} {result.subject:<12} {result.detail}")
        if result.advice:
            self.stdout.write(f"         {result.advice}")
        self.stdout.flush()
        return result


def web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    raise ArgumentTypeError("must be https:// or http:// and the name of the web server, without a login")
