"""Reading files, folders and standard input."""

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from items.transfer import sources
from items.transfer.sources import Found, FoundText, Refused, Skipped, printable, read_length, split, texts_from
from items.transfer.sources import texts_of_stream as texts_of

LINES = "\n"


class Endless(io.RawIOBase):
    """An endless stream, such as `yes` or a log that is followed."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = len(buffer)
        buffer[:] = (self.text * (count // len(self.text) + 1))[:count]
        return int(count)


def found_in(*paths: Path, separator: str | None = None) -> list[Found]:
    return list(texts_from([str(path) for path in paths], separator=separator))


def texts(found: Iterable[Found]) -> list[str]:
    return [one.text for one in found if isinstance(one, FoundText)]


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_file_is_one_text_with_its_white_space(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "  one\r\ntwo\n\n")

    found = found_in(path)

    assert found == [FoundText(str(path), "  one\r\ntwo\n\n")]


def test_byte_order_mark_is_removed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"\xef\xbb\xbfone")

    assert texts(found_in(path)) == ["one"]


def test_lines_are_texts_without_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\r\n\r two \nthree")

    found = found_in(path, separator=LINES)

    assert texts(found) == ["one", "", " two ", "three"]
    assert isinstance(found[3], FoundText)
    assert found[3].origin == f"{path}, line 4"


def test_line_breaks_around_pieces_are_removed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\nmore\n---\ntwo\n---\n")

    found = found_in(path, separator="---")

    assert texts(found) == ["one\nmore", "two", ""]


def test_separator_may_be_nul(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"one\0two\0")

    assert texts(found_in(path, separator="\0")) == ["one", "two", ""]


@given(st.text(alphabet="ab-"), st.sampled_from(["-", "--", "---", "ab"]), st.integers(1, 7))
def test_separator_is_found_across_chunks(text: str, separator: str, chunk_length: int) -> None:
    with mock.patch.object(sources, "CHUNK_LENGTH", chunk_length):
        pieces = list(split(io.StringIO(text), separator))

    assert pieces == text.split(separator)


@given(
    st.lists(st.sampled_from(["a", "-", "\n", "\r\n", "\r"])),
    st.sampled_from(["\n", "\n\n", "\n-\n", "-\n", "\n\n\n"]),
    st.integers(1, 7),
)
def test_line_ends_are_found_across_chunks(parts: list[str], separator: str, chunk_length: int) -> None:
    text = "".join(parts)

    with mock.patch.object(sources, "CHUNK_LENGTH", chunk_length):
        pieces = list(split(io.StringIO(text, newline=""), separator))

    with_lf = [re.sub("\r\n|\r", "\n", piece) for piece in pieces]
    assert with_lf == re.sub("\r\n|\r", "\n", text).split(separator)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_pieces_keep_the_line_ends_inside(tmp_path: Path, line_end: str) -> None:
    path = write(tmp_path / "a.txt", "one\nmore\n\ntwo\n".replace("\n", line_end))

    found = found_in(path, separator="\n\n")

    assert texts(found) == [f"one{line_end}more", "two"]


@pytest.mark.parametrize("separator", [None, LINES, "---"])
def test_long_text_is_not_read_to_its_end(tmp_path: Path, separator: str | None) -> None:
    path = write(tmp_path / "a.txt", "x" * 300_000)

    (text,) = texts(found_in(path, separator=separator))

    assert text == "x" * read_length()


def test_text_after_a_long_line_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "x" * 300_000 + "\nafter\n")

    _, after, _ = texts(found_in(path, separator=LINES))

    assert after == "after"


@pytest.mark.parametrize("separator", [None, LINES])
def test_endless_stream_yields_its_first_texts_at_once(separator: str | None) -> None:
    stream: io.BufferedReader[Any] = io.BufferedReader(Endless(b"one line\n"))

    first = list(islice(texts_of(stream, "endless", separator=separator), 3))

    assert all(isinstance(one, FoundText) for one in first)


def test_binary_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bin", b"\x7fELF\0\0\1")

    assert found_in(path) == [Refused(str(path), "binary")]


def test_bytes_that_are_not_utf_8_become_surrogates(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"one\ncaf\xe9\nthree")

    assert texts(found_in(path, separator=LINES)) == ["one", "caf\udce9", "three"]


def test_missing_file_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one")

    found = found_in(tmp_path / "missing.txt", path / "below a file", path)

    assert found == [
        Refused(str(tmp_path / "missing.txt"), "no such file"),
        Refused(str(path / "below a file"), "no such file"),
        FoundText(str(path), "one"),
    ]


@pytest.mark.parametrize(("name", "reason"), [("", "no such file"), ("x" * 300, "cannot be read")])
def test_invalid_file_name_is_refused(name: str, reason: str) -> None:
    assert list(texts_from([name], separator=None)) == [Refused(name, reason)]


def test_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    assert list(texts_from(["-"], separator=None)) == [Refused("standard input", "closed")]


def test_unreadable_standard_input_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_only = (tmp_path / "a.txt").open("w")
    with write_only, open(write_only.fileno(), closefd=False) as unreadable:
        monkeypatch.setattr(sys, "stdin", unreadable)

        assert list(texts_from(["-"], separator=None)) == [Refused("standard input", "cannot be read")]


def test_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one")
    path.chmod(0)

    with without_privileges():
        found = found_in(path)

    assert found == [Refused(str(path), "no permission to read it")]


@contextmanager
def without_privileges() -> Iterator[None]:
    """Become another user for a while, because root may read everything."""
    account = os.geteuid()
    if account == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(account)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_file_that_fails_during_reading_is_refused() -> None:
    path = Path("/proc/self/mem")

    assert found_in(path) == [Refused(str(path), "cannot be read")]


def test_files_of_a_folder_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "c.txt", "a.txt"):
        write(tmp_path / name, name)

    assert texts(found_in(tmp_path)) == ["a.txt", "c.txt", "b/1.txt", "b/2.txt"]


def test_folder_skips_other_entries_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "one")
    write(tmp_path / ".hidden.txt", "hidden")
    write(tmp_path / ".git" / "config", "hidden")
    write(tmp_path / "b.bin", b"\0")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")

    found = found_in(tmp_path)

    assert texts(found) == ["one"]
    assert sorted(one.reason for one in found if isinstance(one, Skipped)) == [
        "binary",
        "hidden",
        "hidden",
        "link to a folder",
        "not a file",
        "not a file",
    ]


def test_named_hidden_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / ".hidden.txt", "hidden")

    assert texts(found_in(path)) == ["hidden"]


def test_folder_without_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "b.bin", b"\0")

    found = found_in(tmp_path)

    assert found == [Skipped(f"{tmp_path}/b.bin", "binary"), Refused(str(tmp_path), "no text files in it")]


def test_path_is_printed_without_control_characters(tmp_path: Path) -> None:
    path = os.fsdecode(b"a\x1b[2Jb\nc\xff")

    assert printable(path) == "a\ufffd[2Jb\ufffdc\ufffd"


def test_link_to_itself_is_skipped(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "one")
    (tmp_path / "loop").symlink_to("loop")

    found = found_in(tmp_path)

    assert found == [FoundText(f"{tmp_path}/a.txt", "one"), Skipped(f"{tmp_path}/loop", "not a file")]


def test_unreadable_folder_is_refused(tmp_path: Path) -> None:
    with mock.patch.object(os, "scandir", side_effect=PermissionError):
        found = found_in(tmp_path)

    assert found == [Refused(str(tmp_path), "no permission to read it")]
