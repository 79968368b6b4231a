"""Markdown with front matter: one file per item, readable for people and other programs.

What we write uses only the JSON subset of YAML: every value is a JSON value on one line. Therefore no program takes a
text for a date, a number or a boolean. What we read may be any YAML, as editors write it. The captured text follows,
byte for byte, and one line feed.
"""

import json
import re
from pathlib import PurePosixPath

from items.texts import raw_text_max_length
from items.transfer import front_matter
from items.transfer.records import FIELD_NAME, InvalidRecord, ItemRecord

SUFFIX = ".md"
TEXT_FIELD = "rawText"
# Other programs have no fields with these names.
OWN_FIELDS = {"sourceType", "enrichmentMode", "enrichmentError", "errorReason"}
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
    head = "".join(f"{name}: {_as_yaml(value)}\n" for name, value in fields.items())
    return f"{front_matter.FENCE}\n{head}{front_matter.FENCE}\n{raw_text}\n".encode()


def parse(content: bytes) -> ItemRecord:
    """Raises InvalidFile."""
    try:
        head, body = front_matter.split(_decode(content.removeprefix(b"\xef\xbb\xbf")))
    except front_matter.InvalidFrontMatter as error:
        # A name that does not look like one may be private text.
        raise InvalidFile(error.line, error.name if FIELD_NAME.fullmatch(error.name) else "", str(error)) from None
    if head is None or not head.fields.keys() & OWN_FIELDS:
        raise InvalidFile(1, "", "was not written by export_items; --from obsidian reads such files")
    if TEXT_FIELD in head.fields:
        raise InvalidFile(head.lines[TEXT_FIELD], TEXT_FIELD, "belongs below the front matter")
    try:
        return ItemRecord.parse(json.dumps({**head.fields, TEXT_FIELD: body.removesuffix("\n")}))
    except InvalidRecord as error:
        problems = error.problems
    field, sentence = problems[0]
    raise InvalidFile(head.lines.get(field.partition("[")[0], 1), field, sentence)


def _decode(content: bytes) -> str:
    if len(content) > file_max_bytes():
        raise InvalidFile(1, "", "is too long to be an item")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    raise InvalidFile(line, "", "is not UTF-8")


def _as_yaml(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return NOT_FOR_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
