"""What `capture` and `import_items` are both told: what to read, and for whom."""

from argparse import ArgumentParser

from items.capturing.owners import DEFAULT_OWNER


def add_names(parser: ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="FILE", help="file, folder, or - for standard input (which is the default)"
    )


def add_owner(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--owner",
        metavar="NAME",
        default=DEFAULT_OWNER,
        help="user that the items will belong to (default: %(default)s, who is made on first use; "
        "any other user must exist already, unless LITEVAULT_DEBUG is true)",
    )
