"""Where the texts of a capture come from: files, folders and standard input.

Everything is read lazily and in the order of the names, so that a folder of any size needs little memory.
What cannot be used is told with its reason, and the rest goes on.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from typing import TextIO, cast

from items.texts import RAW_TEXT_MAX_LENGTH

STANDARD_INPUT = "-"
# One more than may be captured, so that a text which is too long can be told from one that just fits.
READ_LENGTH = RAW_TEXT_MAX_LENGTH + 1
CHUNK_LENGTH = 64 * 1024
PEEK_BYTES = 8 * 1024

BINARY = "binary"
HIDDEN = "hidden"
UNREADABLE = "cannot be read"
REASONS: dict[type[OSError], str] = {
    FileNotFoundError: "no such file",
    NotADirectoryError: "no such file",
    PermissionError: "no permission to read it",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A text, and where it stood. Bytes that are not UTF-8 have become lone surrogates."""

    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that was asked for and cannot be had."""

    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that nobody means when they name a folder: hidden, binary, or not a file."""

    reason: str


Found = Piece | Refused | Skipped


def texts_from(names: Sequence[str], *, separator: str | None) -> Iterator[Found]:
    """All texts of the files, folders and `-` for standard input. Without a separator, a file is one text."""
    for name in names:
        if name == STANDARD_INPUT:
            yield from texts_of_standard_input(separator=separator)
        elif os.path.isdir(name):  # a Path raises for some names, and takes an empty one for a folder
            yield from texts_of_folder(name, separator=separator)
        else:
            yield from texts_of_file(name, separator=separator)


def texts_of_standard_input(*, separator: str | None) -> Iterator[Found]:
    origin = "standard input"
    if sys.stdin is None:
        yield Refused(origin, "closed")
        return
    try:
        yield from texts_of_stream(cast(BufferedReader, sys.stdin.buffer), origin, separator=separator)
    except OSError as error:
        yield Refused(origin, reason_of(error))


def texts_of_folder(folder: str, *, separator: str | None) -> Iterator[Found]:
    has_texts = False
    for path in paths_in(folder):
        for found in [path] if isinstance(path, Refused | Skipped) else texts_of_file(path, separator=separator):
            is_binary = isinstance(found, Refused) and found.reason == BINARY
            has_texts = has_texts or not (is_binary or isinstance(found, Skipped))
            yield Skipped(BINARY) if is_binary else found
    if not has_texts:
        yield Refused(shown(folder), "no text files in it")


def paths_in(folder: str) -> Iterator[str | Refused | Skipped]:
    """The regular files below a folder that are not hidden. Links to other folders are not followed."""
    unreadable: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        for name in sorted(folders):
            path = os.path.join(parent, name)
            if name.startswith(".") or os.path.islink(path):
                folders.remove(name)
                yield Skipped(HIDDEN if name.startswith(".") else "link to a folder")
        folders.sort()
        for name in sorted(files):
            path = os.path.join(parent, name)
            if name.startswith("."):
                yield Skipped(HIDDEN)
            elif not os.path.isfile(path):
                yield Skipped("not a file")
            else:
                yield path
    yield from (Refused(shown(error.filename), reason_of(error)) for error in unreadable)


def texts_of_file(path: str, *, separator: str | None) -> Iterator[Found]:
    try:
        with open(path, "rb") as file:
            yield from texts_of_stream(file, shown(path), separator=separator)
    except OSError as error:
        yield Refused(shown(path), reason_of(error))


def texts_of_stream(stream: BufferedReader, origin: str, *, separator: str | None) -> Iterator[Found]:
    if b"\0" in stream.peek(PEEK_BYTES)[:PEEK_BYTES] and separator != "\0":
        yield Refused(origin, BINARY)
        return
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        if separator is None:
            yield Piece(origin, text.read(READ_LENGTH))
        else:
            kind = "line" if separator == "\n" else "piece"
            for number, piece in enumerate(split(text, separator), 1):
                yield Piece(f"{origin}, {kind} {number:,}", piece.strip("\r\n"))
    finally:
        text.detach()


def split(text: TextIO, separator: str) -> Iterator[str]:
    """The pieces between separators. Of a piece that is too long only the beginning is kept in memory."""
    beginning = rest = ""
    while chunk := text.read(CHUNK_LENGTH):
        *pieces, rest = (rest + chunk).split(separator)
        for piece in pieces:
            yield (beginning + piece)[:READ_LENGTH]
            beginning = ""
        # The last characters may be the first half of a separator.
        beginning = (beginning + rest[: -len(separator)])[:READ_LENGTH]
        rest = rest[-len(separator) :]
    yield (beginning + rest)[:READ_LENGTH]


def reason_of(error: OSError) -> str:
    return next((reason for kind, reason in REASONS.items() if isinstance(error, kind)), UNREADABLE)


def shown(path: str) -> str:
    """A path that can be printed: names may hold bytes that are not UTF-8, and codes that move the cursor."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
