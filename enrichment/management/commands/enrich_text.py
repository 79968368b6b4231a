"""Enrich one text without storing anything."""

import shutil
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.management.trial_report import report_lines, trial_record
from enrichment.trial import try_models, with_one_model
from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_INCOMPLETE, interruptible
from items.texts import Refusal, refusal
from items.transfer.sources import STANDARD_INPUT, FoundText, origin_of, texts_of_file

NOTHING_STORED = "Nothing is stored."
WIDTH = 100  # if it is not a terminal


class Command(ProjectCommand):
    help = (
        "Enrich a text as the worker does, and print the draft, or the error, with the number of requests, the "
        "seconds, the tokens and the cost. Nothing is stored, and no database is needed. The owner's tags, which the "
        "worker sends along, are left out."
    )
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {0: "every model gave a draft", 1: "a model gave none, or the text cannot be used"}
    )
    examples = """\
manage.py enrich_text note.txt
echo 'Beans need warm soil.' | manage.py enrich_text --model stub
manage.py enrich_text note.txt --model openai/gpt-4o-mini --model ollama_chat/qwen3:4b
manage.py enrich_text note.txt --json"""
    # They import the web side, and need a database.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name",
            nargs="?",
            default=STANDARD_INPUT,
            metavar="FILE",
            help="file, or - for standard input (the default)",
        )
        parser.add_argument(
            "--model",
            action="append",
            dest="models",
            metavar="MODEL",
            help="a model as LiteLLM names it, or stub, which needs no key; tried alone, without fallbacks. Repeat it "
            "to compare models: they are tried one after the other. LITEVAULT_LLM_API_BASE is used for models of the "
            "configured model's provider. Default: the configured models",
        )

    def handle(self, *_args: Any, name: str, models: list[str] | None, **_options: Any) -> None:
        llm: LLMSettings = settings.LLM
        try:
            each = [with_one_model(llm, model) for model in dict.fromkeys(models)] if models else [llm]
            self.print_drafts(name, each)
        except InvalidSettings as error:
            raise CommandError(str(error)) from None

    def print_drafts(self, name: str, each: list[LLMSettings]) -> None:
        with interruptible(self, NOTHING_STORED):
            if name == STANDARD_INPUT and sys.stdin and sys.stdin.isatty():
                self.advise("Type or paste the text, then press Ctrl-D on a line of its own.")
            trials = try_models(read_text(name), each)
            width = shutil.get_terminal_size((WIDTH, 0)).columns
            lines = report_lines(trials, width=width)
            self.report(lines, kept=NOTHING_STORED, is_asked_for=True, trials=[*map(trial_record, trials)])
        if not all(trial.draft for trial in trials):
            sys.exit(EXIT_INCOMPLETE)


def read_text(name: str) -> str:
    """Return the text of a file or of standard input. Raises CommandError if it could not be captured."""
    found, *_ = texts_of_file(name, separator=None)
    if not isinstance(found, FoundText):
        raise CommandError(f"{origin_of(name)}: {found.reason}")
    reason = refusal(found.text)
    if reason is Refusal.SURROGATE:
        raise CommandError(f"{found.origin}: not UTF-8")
    if reason is not None:
        raise CommandError(f"{found.origin}: the text {reason.label}")
    return found.text
