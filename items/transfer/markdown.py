"""Markdown with front matter: one file per item, readable for people and other programs.

The front matter is YAML that uses only the JSON subset: every value is a JSON value on one line. Therefore no text is
mistaken for a date, a number or a boolean, and there are no references. The captured text follows, byte for byte, and
one line feed.
"""

import json
import re
from pathlib import PurePosixPath

from items.texts import raw_text_max_length
from items.transfer.records import InvalidRecord, ItemRecord

SUFFIX = ".md"
FENCE = "---"
TEXT_FIELD = "rawText"
# Valid unescaped in JSON, but not in YAML.
NOT_FOR_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class InvalidFile(InvalidRecord):
    """An InvalidRecord with the line of the problem."""

    def __init__(self, line: int, field: str, sentence: str) -> None:
        super().__init__([(field, sentence)])
        self.line = line


def file_max_bytes() -> int:
    """Return more than any item needs: its text, which is not escaped, and the front matter."""
    return 4 * raw_text_max_length() + 64 * 1024


def path_for(record: ItemRecord) -> PurePosixPath:
    """Return a path that does not depend on the title, so that the next export replaces the same file."""
    day = record.created_at.date()
    return PurePosixPath(f"{day:%Y-%m}", f"{day.isoformat()}-{record.id}{SUFFIX}")


def dump(record: ItemRecord) -> bytes:
    fields = record.model_dump(mode="json", by_alias=True)
    raw_text = fields.pop(TEXT_FIELD)
    front_matter = "".join(f"{name}: {_as_yaml(value)}\n" for name, value in fields.items())
    return f"{FENCE}\n{front_matter}{FENCE}\n{raw_text}\n".encode()


def parse(content: bytes) -> ItemRecord:
    """Raises InvalidFile."""
    fields, lines, raw_text = _split(_decode(content.removeprefix(b"\xef\xbb\xbf")))
    try:
        return ItemRecord.parse(json.dumps({**fields, TEXT_FIELD: raw_text}))
    except InvalidRecord as error:
        problems = error.problems
    field, sentence = problems[0]
    raise InvalidFile(lines.get(field.partition("[")[0], 1), field, sentence)


def _decode(content: bytes) -> str:
    if len(content) > file_max_bytes():
        raise InvalidFile(1, "", "is too long to be an item")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    raise InvalidFile(line, "", "is not UTF-8")


def _split(text: str) -> tuple[dict[str, object], dict[str, int], str]:
    """Return the fields, their line numbers, and the captured text."""
    head, found, raw_text = text.removeprefix(f"{FENCE}\n").partition(f"\n{FENCE}\n")
    if not text.startswith(f"{FENCE}\n") or not found:
        raise InvalidFile(1, "", f"has no front matter between two lines of {FENCE}")
    fields: dict[str, object] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(head.split("\n"), 2):
        name, _, value = line.partition(": ")
        if name in fields or name == TEXT_FIELD:
            raise InvalidFile(number, "", "repeats a field")
        fields[name] = _json_value(number, name, value)
        lines[name] = number
    return fields, lines, raw_text.removesuffix("\n")


def _json_value(line: int, name: str, value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    raise InvalidFile(line, name if name.isidentifier() and name.isascii() else "", "must be a JSON value")


def _as_yaml(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return NOT_FOR_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
