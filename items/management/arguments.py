"""The arguments that capture, import_items and export_items share."""

from argparse import ArgumentParser

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
