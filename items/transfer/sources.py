"""Read texts from files, folders and standard input.

Everything is read lazily and in the order of the names, so that a folder of any size needs little memory.
An entry that cannot be used is reported with its reason, and reading continues.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, FileIO, TextIOWrapper
from pathlib import Path
from typing import Any, TextIO, cast

from items.texts import raw_text_max_length
from items.transfer.encodings import UTF_8, guessed_encoding, is_utf_8, marked_encoding

STANDARD_INPUT = "-"
CHUNK_LENGTH = 64 * 1024
PEEK_BYTES = 8 * 1024
# The encoding of a file follows from its beginning.
SAMPLE_BYTES = 256 * 1024
EXAMPLES_COUNT = 20
ANY_SUFFIX = ("",)
LINE_END = r"(?>\r\n|\n|\r)"

BINARY = "binary"
HIDDEN = "hidden"
UNREADABLE = "cannot be read"


class ClosedInput(OSError):
    """The process has no standard input."""


REASONS: dict[type[OSError], str] = {
    ClosedInput: "closed",
    FileNotFoundError: "no such file",
    NotADirectoryError: "no such file",
    PermissionError: "no permission to read it",
}


@dataclass(frozen=True, slots=True)
class FoundText:
    """A text and its place. Bytes that are not UTF-8 are lone surrogates."""

    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that cannot be used, which is a failure of the command."""

    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry of a folder that is left out on purpose: hidden, binary, or not a file."""

    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A file that was read in another encoding than UTF-8, which was recognised and is its reason to be listed."""

    origin: str
    reason: str


Found = FoundText | Refused | Skipped | Converted


@dataclass(slots=True)
class Refusals:
    """The number of refused entries, or of others to list, and the first of them."""

    count: int = 0
    examples: list[Refused | Skipped | Converted] = field(default_factory=list)

    def add(self, refused: Refused | Skipped | Converted) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES_COUNT:
            self.examples.append(refused)

    def record(self) -> dict[str, object]:
        """Return the number and the first entries."""
        examples = [{"origin": refused.origin, "reason": refused.reason} for refused in self.examples]
        return {"count": self.count, "examples": examples}

    def lines(self) -> Iterator[str]:
        yield from (f"  {refused.origin}: {refused.reason}" for refused in self.examples)
        if more := self.count - len(self.examples):
            yield f"  … and {more:,} more"


def texts_from(names: Sequence[str], *, separator: str | None, encoding: str | None = None) -> Iterator[Found]:
    """Yield the texts of files, folders and `-` for standard input. Without a separator, a file is one text.

    The encoding is that of all files without a byte order mark. Without one, it is recognised.
    """
    for name in names:
        texts_of = texts_of_folder if is_folder(name) else texts_of_file
        yield from texts_of(name, separator=separator, encoding=encoding)


def texts_of_folder(folder: str, *, separator: str | None, encoding: str | None = None) -> Iterator[Found]:
    has_texts = False
    for path in paths_in(folder):
        if isinstance(path, Refused | Skipped):
            has_texts = has_texts or isinstance(path, Refused)
            yield path
            continue
        for found in texts_of_file(path, separator=separator, encoding=encoding):
            is_binary = isinstance(found, Refused) and found.reason == BINARY
            has_texts = has_texts or not is_binary
            yield Skipped(found.origin, BINARY) if is_binary else found
    if not has_texts:
        yield Refused(printable(folder), "no text files in it")


def texts_of_file(name: str, *, separator: str | None, encoding: str | None = None) -> Iterator[Found]:
    try:
        with open_source(name) as stream:
            yield from texts_of_stream(stream, origin_of(name), separator=separator, encoding=encoding)
    except OSError as error:
        yield Refused(origin_of(name), reason_of(error))


def texts_of_stream(
    stream: BufferedReader, origin: str, *, separator: str | None, encoding: str | None = None
) -> Iterator[Found]:
    sample = stream.peek(SAMPLE_BYTES)[:SAMPLE_BYTES]
    known = marked_encoding(sample) or encoding
    if separator != "\0" and "\0" in sample[:PEEK_BYTES].decode(known or UTF_8, "ignore"):
        yield Refused(origin, BINARY)
        return
    # Where no encoding is recognised, the texts are read as UTF-8, and those that are not are refused.
    used = known or (None if is_utf_8(sample) else guessed_encoding(sample)) or UTF_8
    text = TextIOWrapper(stream, used, "surrogateescape" if used == UTF_8 else "strict", newline="")
    try:
        if separator is None:
            yield FoundText(origin, text.read(read_length()))
        else:
            unit = "line" if separator == "\n" else "piece"
            for number, piece in enumerate(split(text, separator), 1):
                yield FoundText(f"{origin}, {unit} {number:,}", piece.strip("\r\n"))
    except UnicodeError:
        yield Refused(origin, f"not {known or 'UTF-8'}")
    else:
        if used not in (encoding, UTF_8):
            yield Converted(origin, used)
    finally:
        text.detach()


def read_length() -> int:
    """Return one more than may be captured, to distinguish a text that is too long from one that just fits."""
    return raw_text_max_length() + 1


def split(text: TextIO, separator: str) -> Iterator[str]:
    """Yield the pieces between separators, in which a line may end with LF, CRLF or CR.

    Only the beginning of a piece that is too long is kept in memory.
    """
    pattern = re.compile(LINE_END.join(map(re.escape, separator.split("\n"))))
    longest = len(separator) + separator.count("\n")
    beginning = rest = ""
    while chunk := text.read(CHUNK_LENGTH):
        rest, end = rest + chunk, 0
        for found in pattern.finditer(rest):
            # At the end of what was read, a CR may be the first half of a CRLF.
            if found.end() < len(rest):
                yield (beginning + rest[end : found.start()])[: read_length()]
                beginning, end = "", found.end()
        # The last characters may be a part of a separator.
        kept = max(end, len(rest) - longest)
        beginning = (beginning + rest[end:kept])[: read_length()]
        rest = rest[kept:]
    *pieces, rest = pattern.split(rest)
    for piece in pieces:
        yield (beginning + piece)[: read_length()]
        beginning = ""
    yield (beginning + rest)[: read_length()]


@contextmanager
def open_source(name: str) -> Iterator["BufferedReader[Any]"]:
    """Open a file, or standard input, which stays open. Raises OSError."""
    if name != STANDARD_INPUT:
        # Not as a Path, which would take an empty name for the current folder.
        with BufferedReader(FileIO(name), SAMPLE_BYTES) as file:
            yield file
    elif sys.stdin is None:
        raise ClosedInput
    else:
        yield cast(BufferedReader, sys.stdin.buffer)


def is_folder(name: str) -> bool:
    try:
        return name not in {"", STANDARD_INPUT} and Path(name).is_dir()
    except OSError:
        return False


def paths_in(folder: str) -> Iterator[str | Refused | Skipped]:
    """Yield the regular files below a folder that are not hidden. Links to other folders are not followed."""
    folders = [folder]
    while folders:
        path = folders.pop()
        try:
            with os.scandir(path) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            yield Refused(printable(path), reason_of(error))
            continue
        inside = []
        for entry in entries:
            if entry.name.startswith("."):
                yield Skipped(printable(entry.path), HIDDEN)
            elif entry.is_dir(follow_symlinks=False):
                inside.append(entry.path)
            elif is_folder(entry.path):
                yield Skipped(printable(entry.path), "link to a folder")
            elif is_file(entry):
                yield entry.path
            else:
                yield Skipped(printable(entry.path), "not a file")
        folders += reversed(inside)


def is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # for example, a link to itself
        return False


def total_bytes(names: Sequence[str], *, suffixes: tuple[str, ...] = ANY_SUFFIX) -> int | None:
    """Return the size of the files, or None if it is not known in advance, as for standard input.

    The suffixes apply to the files of folders.
    """
    if STANDARD_INPUT in names:
        return None
    try:
        return sum(Path(path).stat().st_size for path in _all_paths(names, suffixes))
    except (OSError, ValueError):
        return None


def count_files(names: Sequence[str]) -> int | None:
    return None if STANDARD_INPUT in names else sum(1 for _ in _all_paths(names, ANY_SUFFIX))


def _all_paths(names: Sequence[str], suffixes: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if is_folder(name):
            yield from (path for path in paths_in(name) if isinstance(path, str) and path.endswith(suffixes))
        else:
            yield name


def reason_of(error: OSError) -> str:
    return next((reason for kind, reason in REASONS.items() if isinstance(error, kind)), UNREADABLE)


def origin_of(name: str) -> str:
    return "standard input" if name == STANDARD_INPUT else printable(name)


def printable(path: str) -> str:
    """Replace the characters of a path that a terminal cannot show, or that move its cursor."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
