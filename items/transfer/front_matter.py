"""The front matter of a Markdown file: YAML between two lines of `---`, as people and editors write it.

Every scalar is a text, so that nothing becomes a date, a number or a boolean; only an empty value, `~` and `null` are
None. Tags and references of YAML are refused, and the size and depth are limited, so that no file can name a class or
grow in memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

FENCE = "---"
HEAD_MAX_LENGTH = 64 * 1024
DEPTH_MAX = 8
NULLS = {"", "~", "null"}
OPENING = re.compile(r"---[ \t]*(\r\n?|\n)")
CLOSING = re.compile(r"(?<=[\r\n])---[ \t]*(?:\r\n?|\n|\Z)")
# The parser in C, unless PyYAML was built without it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NODES = (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)
NOT_YAML = "is not YAML (a text that contains a colon or # needs quotes)"

Value = str | list["Value"] | dict[str, "Value"] | None


class InvalidFrontMatter(Exception):
    """The message never contains a value."""

    def __init__(self, line: int, sentence: str, *, name: str = "") -> None:
        super().__init__(sentence)
        self.line = line
        self.name = name


@dataclass(frozen=True, slots=True)
class FrontMatter:
    fields: dict[str, Value] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each field."""


def split(text: str) -> tuple[FrontMatter | None, str]:
    """Return the front matter, or None if there is none, and what follows. Raises InvalidFrontMatter.

    If an editor wrote other line ends than a line feed, those of the text below become line feeds again.
    """
    opening = OPENING.match(text)
    closing = CLOSING.search(text, opening.end()) if opening else None
    if not opening or not closing:
        return None, text
    if closing.start() - opening.end() > HEAD_MAX_LENGTH:
        raise InvalidFrontMatter(1, f"has more than {HEAD_MAX_LENGTH:,} characters of front matter")
    body = text[closing.end() :]
    line_end = opening[1]
    return _read(text[opening.end() : closing.start()]), body if line_end == "\n" else body.replace(line_end, "\n")


def _read(head: str) -> FrontMatter:
    line = 2
    found = FrontMatter()
    try:
        events = yaml.parse(head, Loader=LOADER)
        for event in events:
            line = _line(event.start_mark)
            if isinstance(event, yaml.MappingStartEvent) and not found.fields:
                found = _mapping(events, depth=1)
            elif isinstance(event, yaml.NodeEvent):
                raise InvalidFrontMatter(line, "must be fields of the form name: value")
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark)
    except (yaml.YAMLError, UnicodeError):  # a character that YAML does not allow
        pass
    else:
        return found
    raise InvalidFrontMatter(line, NOT_YAML)


def _line(mark: Any) -> int:
    """The opening fence is line 1 of the file."""
    return int(mark.line) + 2 if mark else 2


def _mapping(events: Iterator[yaml.Event], *, depth: int) -> FrontMatter:
    found = FrontMatter()
    for event in events:
        line = _line(event.start_mark)
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent):
            raise InvalidFrontMatter(line, "must be fields of the form name: value")
        if event.value in found.fields:
            raise InvalidFrontMatter(line, "repeats a field")
        found.lines[event.value] = line
        found.fields[event.value] = _value(events, next(events), name=event.value, depth=depth)
    return found


def _value(events: Iterator[yaml.Event], event: yaml.Event, *, name: str, depth: int) -> Value:
    line = _line(event.start_mark)
    if not isinstance(event, NODES) or event.anchor is not None or event.tag is not None:
        raise InvalidFrontMatter(line, "may not use tags (!) and references (&, *) of YAML", name=name)
    if depth > DEPTH_MAX:
        raise InvalidFrontMatter(line, "has too many levels", name=name)
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, depth=depth + 1).fields
    if isinstance(event, yaml.SequenceStartEvent):
        return list(_entries(events, name=name, depth=depth + 1))
    is_plain = event.implicit[0]
    return None if is_plain and event.value in NULLS else str(event.value)


def _entries(events: Iterator[yaml.Event], *, name: str, depth: int) -> Iterator[Value]:
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            return
        yield _value(events, event, name=name, depth=depth)
