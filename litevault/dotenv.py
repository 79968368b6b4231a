"""The `.env` file in the folder of the checkout, or in the current one."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream

from litevault.home import HOME

DOTENV = HOME / ".env"


def read_dotenv() -> None:
    """Set each variable of the file that the environment does not set."""
    for name, value in variables_in(DOTENV).items():
        os.environ.setdefault(name, value)


def variables_in(path: Path) -> dict[str, str]:
    """Return the variables of a file, or none if there is no such file.

    Raises ImproperlyConfigured for a line that is not an assignment, with its number only: it may contain a secret.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        raise ImproperlyConfigured(f"{path} cannot be read. It must be a text file in UTF-8.") from None
    variables = {}
    for name, value, original, is_error in bindings:
        statement = original.string.strip()
        if is_error or (name and value is None) or "\n" in statement or "\0" in statement:
            line = original.line + original.string.partition(statement)[0].count("\n")
            raise ImproperlyConfigured(f"Line {line} of {path} cannot be read. Write NAME=value on one line.")
        if name and value is not None:
            variables[name] = value
    return variables
