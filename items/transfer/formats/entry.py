"""What the readers of other programs' exports have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from items.transfer.sources import Refused


class NotAnExport(Exception):
    """The file is not an export of this program. The message ends the sentence "The file …", and contains no values."""


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file of another program. Bytes that are not UTF-8 are lone surrogates."""

    text: str
    name: str = ""
    """Without folder and suffix; empty for standard input."""
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A text of another program, not checked yet. The place is its place in the file."""

    place: str
    title: str
    raw_text: str
    tags: Sequence[str] = ()
    created_at: object = None
    """As the other program wrote it: seconds, milliseconds or microseconds since 1970, or a time in ISO 8601."""
    is_article: bool = False


@dataclass(frozen=True, slots=True)
class Omitted:
    """Something that an item has no place for."""

    kind: str
    count: int = 1


Found = Entry | Refused | Omitted


def link_text(title: str, url: str, *notes: str) -> str:
    """Return the text of an item for a link: the title and the address, and the notes, each after a blank line."""
    head = "\n".join(dict.fromkeys(part for part in (title.strip(), url.strip()) if part))
    return "\n\n".join(part for part in (head, *notes) if part.strip())
