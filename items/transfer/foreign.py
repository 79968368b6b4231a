"""Files that other programs exported."""

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from items.transfer.conversion import Conversion
from items.transfer.formats import bookmarks, karakeep, linkwarden, obsidian, pocket
from items.transfer.formats.entry import Entry, ForeignFile, Found, NotAnExport, Omitted
from items.transfer.importing import FoundRecord
from items.transfer.sources import (
    HIDDEN,
    STANDARD_INPUT,
    Refused,
    Skipped,
    is_folder,
    open_source,
    origin_of,
    paths_in,
    printable,
    reason_of,
)

FILE_MAX_BYTES = 200 * 1024 * 1024
OTHER_FILES = {
    b"PK\x03\x04": "a ZIP archive; import the files in it",
    codecs.BOM_UTF16_LE: "in UTF-16; save it as UTF-8 first",
    codecs.BOM_UTF16_BE: "in UTF-16; save it as UTF-8 first",
}


@dataclass(frozen=True, slots=True)
class Format:
    program: str
    read: Callable[[ForeignFile], Iterator[Found]]
    suffixes: tuple[str, ...]
    """Of the files that are read from a folder."""


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "bookmarks": Format("a browser", bookmarks.read, (".html", ".htm")),
        "karakeep": Format("Karakeep", karakeep.read, (".json",)),
        "linkwarden": Format("Linkwarden", linkwarden.read, (".json",)),
        "obsidian": Format("Obsidian", obsidian.read, (".md",)),
        "pocket": Format("Pocket", pocket.read, (".csv", ".html")),
    }
)


def read_foreign(
    names: Sequence[str], conversion: Conversion, *, on_read: Callable[[int], object]
) -> Iterator[FoundRecord | Refused | Omitted]:
    """Yield the records of files, of the files in folders with a suffix of the format, and of standard input.

    `on_read` is called with the number of bytes read since its last call.
    """
    for name in names:
        for path in paths_in(name) if is_folder(name) else [name]:
            if isinstance(path, Refused):
                yield path
            elif isinstance(path, Skipped):
                yield Omitted("other files", int(path.reason != HIDDEN))
            elif path != name and not path.lower().endswith(FORMATS[conversion.source].suffixes):
                yield Omitted("other files")
            else:
                yield from _read_file(path, conversion, on_read)


def _read_file(
    name: str, conversion: Conversion, on_read: Callable[[int], object]
) -> Iterator[FoundRecord | Refused | Omitted]:
    origin = origin_of(name)
    exporter = FORMATS[conversion.source]
    file = _open(name, on_read)
    if isinstance(file, Refused):
        yield file
        return
    try:
        for found in exporter.read(file):
            match found:
                case Entry(place):
                    yield from conversion.record(found, origin=_join(origin, place))
                case Refused(place, reason):
                    yield Refused(_join(origin, place), reason)
                case Omitted():
                    yield found
    except NotAnExport as error:
        yield Refused(origin, f"not an export of {exporter.program}: it {error}")


def _open(name: str, on_read: Callable[[int], object]) -> ForeignFile | Refused:
    origin = origin_of(name)
    try:
        with open_source(name) as stream:
            content = stream.read(FILE_MAX_BYTES + 1)
        modified_at = None if name == STANDARD_INPUT else datetime.fromtimestamp(Path(name).stat().st_mtime, UTC)
    except OSError as error:
        return Refused(origin, reason_of(error))
    on_read(len(content))
    if len(content) > FILE_MAX_BYTES:
        return Refused(origin, f"larger than {FILE_MAX_BYTES // 1024**2} MiB")
    for beginning, reason in OTHER_FILES.items():
        if content.startswith(beginning):
            return Refused(origin, reason)
    text = content.decode("utf-8-sig", errors="surrogateescape")
    return ForeignFile(text, "" if name == STANDARD_INPUT else printable(Path(name).stem), modified_at)


def _join(origin: str, place: str) -> str:
    return f"{origin}, {place}" if place else origin
