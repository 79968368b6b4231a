"""Writes .env.example and docs/settings.md from the declaration: python -m litevault.settings.reference --write"""

import sys
import textwrap
from collections.abc import Iterator

from litevault.settings import BASE_DIR
from litevault.settings.declaration import GROUPS, SETTINGS, Setting

EXAMPLE = BASE_DIR / ".env.example"
PAGE = BASE_DIR / "docs" / "settings.md"

EXAMPLE_HEAD = """\
# The settings of LiteVault, generated from their declaration, like docs/settings.md.
# Make your own copy with: install -m 600 .env.example .env
# Change in it what you need. An empty value means the default.
# A secret may also come from a file: set NAME_FILE to its path instead of NAME.
"""

PAGE_HEAD = """\
# Settings

LiteVault reads its settings from the environment and from `.env` in the root of the checkout. If LiteVault is
installed from a wheel, `.env` is in the current folder. The environment comes first. `install -m 600 .env.example
.env` makes a `.env` that only you can read. An empty value means the default. An invalid value stops the start with a
message that names the setting and what it accepts. An unknown name that begins with `LITEVAULT_` stops the start when
`LITEVAULT_DEBUG` is true; otherwise the log warns of it (`setting.ignored`).

Start with these five:

- `DATABASE_URL`: your own PostgreSQL, 15 to 18, instead of the embedded one.
- `LITEVAULT_LLM_PROVIDER`: `litellm` asks a model; `stub`, the default of `make run`, does not.
- `LITEVAULT_LLM_MODEL`: the model, `openai/gpt-4o-mini` by default.
- `LITEVAULT_LLM_API_BASE`: the address of an OpenAI-compatible server of your own.
- `LITEVAULT_DEBUG`: `true` only on your own machine. `make run` sets it.

`manage.py doctor` shows every setting with the value in force, without secrets.

A secret may also come from a file: set `NAME_FILE`, such as `LITEVAULT_SECRET_KEY_FILE`, to the path of a text file in
UTF-8. White space around its content is dropped. A file that is empty or cannot be read stops the start, and so do
`NAME` and `NAME_FILE` when both are set.

A line of `.env` is `NAME=value`, a comment, or empty. Blanks around `=`, a leading `export`, quotes around the value
and a comment after it (`NAME=value # comment`) are allowed. Put a value that contains ` #` in single quotes.
Any other line stops the start with its number. If a name is set twice, the last value counts.

The API key of a model is read under LiteLLM's name for it, such as `OPENAI_API_KEY`, or from the file that
`OPENAI_API_KEY_FILE` names ([models.md](models.md)).

`OTEL_EXPORTER_OTLP_ENDPOINT` turns on traces, and `SENTRY_DSN` reports of crashes. Both are off by default, and need
packages of their own. The other variables of OpenTelemetry and Sentry apply
([operations.md](operations.md#traces-and-error-reports)).

This page and [.env.example](../.env.example) are generated from the declaration of the settings in
`litevault/settings/declaration.py` and `enrichment/config.py`. After a change there, run
`python -m litevault.settings.reference --write`.
"""


def example() -> str:
    """Return the text of .env.example."""
    return EXAMPLE_HEAD + "".join(_lines_of(setting) for setting in SETTINGS)


def page() -> str:
    """Return the text of docs/settings.md."""
    return PAGE_HEAD + "".join(f"\n## {title}\n\n{''.join(_table(settings))}" for title, settings in _groups())


def _groups() -> Iterator[tuple[str, list[Setting]]]:
    for group in GROUPS:
        yield str(group.__doc__).strip(" ."), [setting for setting in SETTINGS if setting.group is group]


def _lines_of(setting: Setting) -> str:
    has_one_default = setting.development_default == setting.default
    default = "" if has_one_default else f" Empty: {_defaults(setting)}."
    comments = (setting.sentence, f"Accepts {_accepts(setting)}.{default}")
    lines = [f"# {line}" for comment in comments for line in textwrap.wrap(comment, 118, break_on_hyphens=False)]
    return "\n".join(["", *lines, f"{setting.name}={setting.default if has_one_default else ''}", ""])


def _table(settings: list[Setting]) -> Iterator[str]:
    yield "| name | accepts | default | meaning |\n|---|---|---|---|\n"
    for setting in settings:
        default = _defaults(setting, mark="`") if setting.default else "none"
        yield f"| `{setting.name}` | {_accepts(setting)} | {default} | {setting.sentence} |\n"


def _accepts(setting: Setting) -> str:
    return setting.accepts + (" (secret)" if setting.is_secret else "")


def _defaults(setting: Setting, *, mark: str = "") -> str:
    default = f"{mark}{setting.default}{mark}"
    if setting.development_default == setting.default:
        return default
    return f"{default}, or {mark}{setting.development_default}{mark} with LITEVAULT_DEBUG"


def main(arguments: list[str]) -> None:
    if arguments != ["--write"]:
        sys.exit("Usage: python -m litevault.settings.reference --write")
    EXAMPLE.write_text(example(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
