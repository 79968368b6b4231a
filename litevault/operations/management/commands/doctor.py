"""Checks the installation and says how to fix what is wrong."""

import sys
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.core.management.base import CommandParser

from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_INCOMPLETE
from litevault.operations.doctor.checks import run_checks
from litevault.operations.doctor.result import CheckResult, Level
from litevault.operations.doctor.settings import settings_in_force


class Command(ProjectCommand):
    help = (
        "Check settings, web server, database, migrations, triggers, LISTEN, listeners, events, queue and model, and "
        "say how to fix what is wrong. A warning is something to look at while LiteVault works. Secrets are not shown. "
        "With -v 0, only warnings and failures are shown."
    )
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {0: "all checks passed, perhaps with warnings", 1: "a check failed"}
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
        settings = dict(settings_in_force())
        heading = self.style.MIGRATE_HEADING
        lines = [heading("Settings"), *(f"  {name:<38} {value}" for name, value in settings.items()), heading("Checks")]
        self.report(lines, settings=settings)
        checks = run_checks(
            calls_model=not options["no_model"], expects_events=not options["no_events"], url=options["url"] or ""
        )
        results = []
        for result in checks:
            results.append(result)
            self.show(result)
        levels = Counter(result.level for result in results)
        records = [
            {"subject": each.subject, "level": each.level, "detail": each.detail, "advice": each.advice or None}
            for each in results
        ]
        counts = {f"{level}": levels[level] for level in Level}
        self.report([self.conclusion(levels)], checks=records, counts=counts)
        if levels[Level.FAILED]:
            sys.exit(EXIT_INCOMPLETE)

    def show(self, result: CheckResult) -> None:
        """Print and flush at once: the next check may take seconds."""
        lines = [f"  {self.mark(result.level)} {result.subject:<12} {result.detail}"]
        if result.advice:
            lines.append(f"         {result.advice}")
        self.report(lines, is_asked_for=not result.is_ok)

    def mark(self, level: Level) -> str:
        if level == Level.OK:
            return self.style.SUCCESS("ok    ")
        return self.style.WARNING("warn  ") if level == Level.WARNING else self.style.ERROR("failed")

    def conclusion(self, levels: Counter[Level]) -> str:
        warnings = f"{levels[Level.WARNING]} warning{'' if levels[Level.WARNING] == 1 else 's'}"
        if levels[Level.FAILED]:
            also = f", {warnings}" if levels[Level.WARNING] else ""
            return self.style.ERROR(f"{levels[Level.FAILED]} of {levels.total()} checks failed{also}.")
        if levels[Level.WARNING]:
            return self.style.WARNING(f"No check failed, {warnings}.")
        return self.style.SUCCESS("All checks passed.")


def web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    raise ArgumentTypeError("must be https:// or http:// and the name of the web server, without a login")
