"""Writes docs/commands.md from the commands: python -m litevault.operations.command_reference --write"""

import argparse
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import django
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_CODES

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "commands.md"
HEAD = """\
# Commands

Every command is `python manage.py COMMAND`, and `python manage.py COMMAND --help` shows what this page has. Django's
own commands, such as `createsuperuser` and `dbshell`, are described in
[its documentation](https://docs.djangoproject.com/en/5.2/ref/django-admin/), except for `version`, which prints the
version of LiteVault. If LiteVault is installed from a wheel, the program is `litevault` instead of `python manage.py`.
Without `DATABASE_URL`, commands use the embedded PostgreSQL and start it if necessary.

All commands accept `-v 0`, which leaves out everything but errors and what was asked for, such as a list or a token.
With `--json`, where a command has it, the result is one JSON document on standard output, with the names of the API.
Errors are sentences on standard error in any case, and `--traceback` adds where they come from. Questions are asked on
standard error, and only on a terminal; otherwise the command needs `--yes`. Text of users is shown without control
characters, and a terminal that does not know a character shows its escape.

A misspelled command, sub-command, setting, user, status or error code gets a suggestion.

## Exit codes

| code | meaning, unless the command says otherwise |
|---|---|
{exit_codes}
## Completion

Django completes commands and their options in bash and zsh by itself. Put this into `~/.bashrc`, or into `~/.zshrc`
after `autoload -U +X bashcompinit && bashcompinit`, and start commands as `./manage.py` with the virtual environment
active:

```sh
_manage_py() {{
  COMPREPLY=($(COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD=$COMP_CWORD DJANGO_AUTO_COMPLETE=1 "$1" 2>/dev/null))
}}
complete -F _manage_py -o default manage.py ./manage.py
```

No database is started for it. argcomplete is not used: it cannot see the commands behind Django's dispatcher, and would
be one more package on every server.

{commands}
This page is generated from the commands. After a change, run
`python -m litevault.operations.command_reference --write`.
"""
COMMON = {
    "help",
    "version",
    "verbosity",
    "settings",
    "pythonpath",
    "traceback",
    "no_color",
    "force_color",
    "skip_checks",
}


def page() -> str:
    commands = "\n".join(section for _, section in sections())
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    return HEAD.format(commands=commands, exit_codes=codes)


@cache
def sections() -> tuple[tuple[str, str], ...]:
    """Return the name and the section of each command of ours."""
    apps = sorted(get_commands().items())
    ours = [(name, app) for name, app in apps if app.split(".")[0] in {"items", "enrichment", "litevault"}]
    return tuple((name, "\n".join(_section(name, load_command_class(app, name)))) for name, app in ours)


def _section(name: str, command: BaseCommand) -> Iterator[str]:
    parser = command.create_parser("manage.py", name)
    yield f"## {name}\n\n{_text(command.help)}\n"
    yield from _options(parser)
    for action in parser._subparsers._group_actions if parser._subparsers else ():
        for sub_name, sub in dict(action.choices or {}).items():
            yield f"### {name} {sub_name}\n\n{_text(sub.description or '')}\n"
            yield from _options(sub)
    if isinstance(command, ProjectCommand):
        codes = {code: text for code, text in command.all_exit_codes().items() if EXIT_CODES.get(code) != text}
        if codes:
            rows = "".join(f"| {code} | {_text(text)} |\n" for code, text in codes.items())
            yield f"| exit code | meaning |\n|---|---|\n{rows}"
        if command.examples:
            yield f"```sh\n{command.examples}\n```\n"


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = argparse.HelpFormatter("")
    rows = [
        f"| `{_name(action)}` | {_text(formatter._expand_help(action))} |"
        for action in parser._actions
        if action.dest not in COMMON and action.help not in (None, argparse.SUPPRESS)
    ]
    if rows:
        yield "\n".join(["| option | meaning |", "|---|---|", *rows, ""])


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return f"{', '.join(action.option_strings)}{value}".replace("|", r"\|")


def _text(text: str) -> str:
    """Return the text of a help as Markdown."""
    return text.replace("|", r"\|").replace("<", r"\<").replace("*", r"\*")


def main(arguments: list[str]) -> None:
    if arguments != ["--write"]:
        sys.exit("Usage: python -m litevault.operations.command_reference --write")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
    os.environ.setdefault("DATABASE_URL", "postgresql:///none")
    django.setup()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
