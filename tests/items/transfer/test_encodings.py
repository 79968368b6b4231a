"""Files in other encodings than UTF-8."""

import codecs
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from items.transfer.encodings import guessed_encoding
from items.transfer.sources import CHUNK_LENGTH, Converted, Found, FoundText, Refused, Skipped, texts_from
from tests.enrichment.texts import PARAGRAPHS
from tests.items.transfer.commands import capture, capture_incompletely, raw_texts

POLISH = (
    "Wieczorem wróciliśmy do domu i zjedliśmy kolację, a potem długo rozmawialiśmy o książkach, które każdy z nas "
    "przeczytał w ostatnim roku. Niektóre były świetne, inne nużące, ale nikt nie żałował lektury."
)
MEMO = (
    "It’s a “smart” quote – typed in Word. The meeting is at noon; please bring the notes about the garden, the "
    "invoice for £50 and the plan for next year."
)
CREDITS = (
    "The parser was written by José García and is © 2024 of the authors. It reads a file and prints each line that "
    "matches the pattern. See the manual for the options, and the café example for a longer one."
)
GERMAN, FRENCH, SPANISH = (PARAGRAPHS[language].text for language in ("de", "fr", "es"))
RUSSIAN, GREEK, TURKISH = (PARAGRAPHS[language].text for language in ("ru", "el", "tr"))
MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-32-le": codecs.BOM_UTF32_LE}


def found_in(path: Path, content: bytes, *, separator: str | None = None, encoding: str | None = None) -> list[Found]:
    path.write_bytes(content)
    return list(texts_from([str(path)], separator=separator, encoding=encoding))


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_gives_the_encoding(tmp_path: Path, encoding: str, line_end: str) -> None:
    path = tmp_path / "a.txt"
    text = f"één{line_end}t🐝ee{line_end}"
    content = MARKS[encoding] + text.encode(encoding)

    whole, converted = found_in(path, content)
    lines = found_in(path, content, separator="\n")

    assert (whole, converted) == (FoundText(str(path), text), Converted(str(path), encoding[:6]))
    assert [line.text for line in lines if isinstance(line, FoundText)] == ["één", "t🐝ee", ""]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((text, "windows-1252") for text in (GERMAN, FRENCH, SPANISH, MEMO, CREDITS)),
        (POLISH, "windows-1250"),
        (RUSSIAN, "windows-1251"),
        (RUSSIAN.replace("—", "-"), "koi8-r"),
        (GREEK, "windows-1253"),
    ],
)
def test_text_of_a_language_gives_the_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"

    found = found_in(path, text.encode(encoding))

    assert found == [FoundText(str(path), text), Converted(str(path), encoding)]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Dvořák", "windows-1250"),
        ("café", "windows-1252"),
        (TURKISH, "windows-1254"),
        (GERMAN[:60], "ibm850"),
        (GERMAN, "mac-roman"),
        (SPANISH, "ibm850"),
        (PARAGRAPHS["ja"].text[:25], "euc-jp"),
        (PARAGRAPHS["zh"].text[:25], "gb18030"),
    ],
)
def test_doubtful_encoding_is_not_guessed(text: str, encoding: str) -> None:
    assert guessed_encoding(text.encode(encoding)) is None


def test_damaged_utf_8_is_not_another_encoding(tmp_path: Path) -> None:
    content = GERMAN.encode().replace("ö".encode(), b"\xc3")

    (found,) = found_in(tmp_path / "a.txt", content)

    assert isinstance(found, FoundText)
    assert found.text.encode(errors="surrogateescape") == content


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16-le", "shift-jis"])
def test_named_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    text = "日本" if encoding == "shift-jis" else "café"

    found = found_in(path, text.encode(encoding), encoding=encoding)

    assert found == [FoundText(str(path), text)]


def test_byte_order_mark_comes_before_the_named_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    found = found_in(path, "café".encode("utf-8-sig"), encoding="windows-1252")

    assert found == [FoundText(str(path), "café")]


@pytest.mark.parametrize(
    ("content", "encoding", "reason"),
    [
        (b"caf\xe9", "ascii", "not ascii"),
        (codecs.BOM_UTF16_LE + b"a\0b", None, "not utf-16"),
        (codecs.BOM_UTF16_LE + b"\0\xd8a\0", None, "not utf-16"),
        (b"a\0b\xe9", "windows-1252", "binary"),
    ],
)
def test_other_bytes_are_refused(tmp_path: Path, content: bytes, encoding: str | None, reason: str) -> None:
    path = tmp_path / "a.txt"

    assert found_in(path, content, encoding=encoding) == [Refused(str(path), reason)]


def test_guess_that_fails_later_refuses_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    content = GERMAN.encode("windows-1252") + b" " * CHUNK_LENGTH + b"\x81"

    assert found_in(path, content, separator="---") == [Refused(str(path), "not UTF-8")]


def test_binary_files_of_a_folder_are_skipped_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(b"\x7fELF\0")

    found = found_in(tmp_path / "a.txt", b"one")

    assert found == [FoundText(f"{tmp_path}/a.txt", "one")]
    assert Skipped(f"{tmp_path}/b.bin", "binary") in list(texts_from([str(tmp_path)], separator=None))


@pytest.mark.django_db
def test_converted_files_are_listed(owner: User, tmp_path: Path) -> None:
    for name, content in {"a": MEMO.encode("cp1252"), "b": "Tides".encode("utf-16"), "c": b"Moon"}.items():
        (tmp_path / name).write_bytes(content)

    summary = capture(tmp_path, "--owner", "owner")

    assert sorted(raw_texts()) == sorted([MEMO, "Tides", "Moon"])
    assert summary.splitlines()[1:] == [
        "Converted 2: 1 windows-1252, 1 utf-16.",
        f"  {tmp_path}/a: windows-1252",
        f"  {tmp_path}/b: utf-16",
    ]


@pytest.mark.django_db
def test_refused_file_is_captured_with_its_encoding(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"caf\xe9")
    refused, _ = capture_incompletely(path, "--owner", "owner")

    capture(path, "--encoding", "windows-1252", "--owner", "owner")

    assert f"{path}: not UTF-8\nWith --encoding NAME, such as windows-1252," in refused
    assert raw_texts() == ["café"]


@pytest.mark.parametrize("name", ["", "nothing", "base64", "idna", "a\0b"])
def test_encoding_has_to_exist(name: str) -> None:
    with pytest.raises(CommandError, match="is not the name of an encoding"):
        capture("--encoding", name)


@pytest.mark.django_db
def test_refused_texts_may_be_allowed(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"one\ncaf\xe9")

    summary = capture(path, "--each-line", "--allow-refused", "--owner", "owner")

    assert "Refused 1: 1 not UTF-8." in summary
    assert raw_texts() == ["one"]
