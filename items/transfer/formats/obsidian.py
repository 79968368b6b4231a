"""Notes of Obsidian, or of any other program that keeps a folder of Markdown files."""

from collections.abc import Iterator, Mapping

from items.transfer import front_matter
from items.transfer.formats.entry import Entry, ForeignFile, Found, Omitted
from items.transfer.front_matter import InvalidFrontMatter, Value
from items.transfer.sources import Refused

TITLE, TIMES, TAGS, ALIASES = {"title"}, {"created", "date"}, {"tags", "tag"}, {"aliases", "alias"}
MAPPED = TITLE | TIMES | TAGS | ALIASES


def read(file: ForeignFile) -> Iterator[Found]:
    try:
        head, body = front_matter.split(file.text.replace("\r\n", "\n"))
    except InvalidFrontMatter as error:
        yield Refused(f"line {error.line:,}", str(error))
        return
    fields = {name.lower(): value for name, value in head.fields.items() if value} if head else {}
    yield Omitted("aliases", len(_texts(fields, ALIASES)))
    yield Omitted("other fields of front matter", len(fields.keys() - MAPPED))
    yield Entry(
        place="",
        title=next(iter(_texts(fields, TITLE)), file.name),
        raw_text=body,
        tags=[tag.removeprefix("#") for text in _texts(fields, TAGS) for tag in text.split(",")],
        created_at=next(iter(_texts(fields, TIMES)), file.modified_at),
    )


def _texts(fields: Mapping[str, Value], names: set[str]) -> list[str]:
    """Return the texts of fields that hold one text or a list of texts."""
    values = [fields[name] for name in names if name in fields]
    return [
        text for value in values for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)
    ]
