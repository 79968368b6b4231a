"""Lists items and changes their status, for people on a server."""

import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import CommandError

from items.admin.bulk import BATCH_SIZE, CALLS_THE_MODEL, change_matching, minutes_to_retry
from items.admin.labels import DONE, Count, condition, hours_and_minutes
from items.admin.queries import bounded_count
from items.management.command import ProjectCommand
from items.management.exit_codes import EXIT_INCOMPLETE, interruptible
from items.management.item_options import (
    add_filters,
    add_ids,
    add_limit,
    advice_for_none,
    has_filters,
    matching,
    oldest,
)
from items.management.item_report import detail_lines, detail_record, list_lines, list_record
from items.models import Item
from items.states import Action

LISTED = 20
LISTED_AT_MOST = 10_000
CHANGED_AT_MOST = 10**9
ACTIONS = tuple(action for action in Action if action != Action.EDIT)
NOTHING = "Nothing was changed."


class Command(ProjectCommand):
    help = (
        "List and show items of all users, and change their status as the admin and the API do: in the same "
        "transactions, with the same audit trail, and with large retries spread over time. "
        "Items are chosen by their ids, by filters, or by both."
    )
    exit_codes: ClassVar[Mapping[int, str]] = MappingProxyType(
        {
            0: "done, also if no item matched the filters",
            1: "an item was not found or its status did not allow the action, the question was not answered with yes, "
            "or an error, which standard error describes in a sentence",
            130: "interrupted by Ctrl-C; what was changed until then stays changed",
        }
    )
    examples = """\
manage.py items list --status failed --owner ada
manage.py items retry --code LLM_TIMEOUT --before 12h
manage.py items show 0b1c6a52-4d5f-4a51-9f0c-6a4a5f0c2f11 --json
manage.py items discard --status failed --before 30d --limit 100 --yes"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        listing = commands.add_parser("list", help="list items, newest first", description="List items, newest first.")
        add_ids(listing)
        add_filters(listing)
        text = f"how many, up to {LISTED_AT_MOST:,} (default: %(default)s)"
        add_limit(listing, default=LISTED, most=LISTED_AT_MOST, help=text)
        showing = commands.add_parser(
            "show", help="show items with text, draft and attempts", description="Show items with everything."
        )
        add_ids(showing, nargs="+")
        for action in ACTIONS:
            text = f"{action.value} items, oldest first"
            acting = commands.add_parser(action.value, help=text, description=f"{text[0].upper()}{text[1:]}.")
            add_ids(acting)
            add_filters(acting)
            add_limit(acting, default=None, most=CHANGED_AT_MOST, help="change at most this many items")
            acting.add_argument("--yes", "--no-input", "--noinput", action="store_true", help="do not ask", dest="yes")
        for each in commands.choices.values():
            _add_common_options(each)

    def handle(self, *_args: Any, command: str, **options: Any) -> None:
        with interruptible(self, "What was changed until then stays changed. Run the command again to continue."):
            if command == "list":
                self.list_items(options)
            elif command == "show":
                self.show_items(options)
            else:
                self.change_items(Action(command), options)

    def list_items(self, options: dict[str, Any]) -> None:
        found = matching(options)
        items = [*found.newest_first().select_related("owner").defer("raw_text")[: options["limit"]]]
        if not items:
            self.advise(f"No items match.{advice_for_none(options)}")
        elif len(items) == options["limit"] and (count := bounded_count(found)).number > len(items):
            self.advise(f"The newest {len(items):,} of {count.of_items}. --limit shows more.")
        lines = list_lines(items, self.encoding) if items else ()
        self.report(lines, is_asked_for=True, items=[*map(list_record, items)] if self.is_json else [])
        self.refuse_unknown(options["ids"])

    def show_items(self, options: dict[str, Any]) -> None:
        details = []
        for item in Item.objects.filter(pk__in=options["ids"]).select_related("owner").newest_first():
            if self.is_json:
                details.append(detail_record(item))
            else:
                self.report(detail_lines(item, self.encoding), is_asked_for=True)
        self.report((), items=details)
        self.refuse_unknown(options["ids"])

    def change_items(self, action: Action, options: dict[str, Any]) -> None:
        filtered = has_filters(options)
        if not options["ids"] and not filtered:
            raise CommandError("Choose items: name their ids, or use a filter such as --status or --owner.")
        items = matching(options)
        # An id names an item, whose status may refuse the action. A filter finds those that allow it.
        refused = 0 if filtered else items.count() - items.allowing(action).count()
        items = oldest(items.allowing(action), options["limit"])
        count = bounded_count(items)
        if not options["yes"] and count.number > (0 if filtered else 1):
            self.require_yes(action, count)
        result = change_matching(items, action, seconds=inf)
        later = f" {BATCH_SIZE} are due now, the others {BATCH_SIZE} a minute." if result.minutes else ""
        none = advice_for_none(options) if not result.changed else ""
        done = f"{Count(result.changed).of_items} {DONE[action]}.{later}{none}"
        self.report([done], action=action, changed=result.changed, refused=refused)
        if refused:
            self.stderr.write(f"{Count(refused).of_items} refused: {condition(action)}")
        self.refuse_unknown(options["ids"])
        if refused:
            sys.exit(EXIT_INCOMPLETE)

    def require_yes(self, action: Action, count: Count) -> None:
        """Raises CommandError unless a person answers with yes."""
        pace = hours_and_minutes(minutes_to_retry(count)) if action in CALLS_THE_MODEL else ""
        spread = f" They become due within {pace}." if minutes_to_retry(count) and pace else ""
        if not sys.stdin or not sys.stdin.isatty():
            raise CommandError(f"{NOTHING} Add --yes to {action.value} {count.of_items} without a question.")
        self.stderr.write(f"{action.label} {count.of_items}?{spread} [y/N] ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
            raise CommandError(NOTHING)

    def refuse_unknown(self, ids: list[UUID]) -> None:
        """Exit with 1 if an item does not exist."""
        unknown = set(ids) - set(Item.objects.filter(pk__in=ids).values_list("pk", flat=True))
        for item_id in sorted(map(str, unknown)):
            self.stderr.write(f"There is no item {item_id}.")
        if unknown:
            sys.exit(EXIT_INCOMPLETE)


def _add_common_options(parser: ArgumentParser) -> None:
    """Accept after the sub-command, too, what all commands accept."""
    parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print the result as one JSON document")
    parser.add_argument("-v", "--verbosity", type=int, choices=range(4), default=SUPPRESS, help="0: print errors only")
    parser.add_argument("--traceback", action="store_true", default=SUPPRESS, help=SUPPRESS)
