"""Arguments that several commands share."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable

from items.transfer.owners import DEFAULT_OWNER


def add_names(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="FILE", help="file, folder, or - for standard input (the default)")


def add_owner(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--owner",
        metavar="NAME",
        default=DEFAULT_OWNER,
        help="the user who will own the items (default: %(default)s, created on first use; "
        "other users must exist, unless LITEVAULT_DEBUG is true)",
    )


def add_allow_refused(parser: ArgumentParser) -> None:
    parser.add_argument("--allow-refused", action="store_true", help="exit with 0 although something was refused")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return an argument type whose error message has the range."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise ArgumentTypeError(f"must be a whole number from {least} to {most}")

    return parse
