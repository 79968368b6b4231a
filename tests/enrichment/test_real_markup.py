"""The stub provider drafts from the manual pages, documents and mails of this machine."""

import gzip
import os
import re
import sysconfig
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from enrichment.providers.stub import TAGS_WITHOUT_WORDS, draft
from items.texts import is_blank, raw_text_max_length

pytestmark = pytest.mark.slow

STANDARD_LIBRARY, PACKAGES = (sysconfig.get_path(name) for name in ("stdlib", "purelib"))
DOCUMENTS = ("/usr/share/doc", PACKAGES)
# Where files of each kind are, and what their names match.
KINDS = {
    "manual page": (("/usr/share/man",), r".*\.\d\w*(\.gz)?"),
    "HTML": (DOCUMENTS, r".*\.html?"),
    "RST": (DOCUMENTS, r".*\.rst(\.gz)?"),
    "README": (DOCUMENTS, r"(?i:readme.*)|.*\.md"),
    "package metadata": ((PACKAGES,), "METADATA"),
    "mail": ((f"{STANDARD_LIBRARY}/test/test_email/data",), r"msg_.*\.txt"),
}
FILES_COUNT, FILES_MIN_COUNT = 40, 20
MARKUP_LINE = re.compile(
    r"[.'][A-Z][A-Za-z]\b|['.]\\\"|'br\\|<[!?/a-z][^<>]*>|\.\. \w+::|[=~*#_-]{4,}|\{%|!\[|```|.*\\f[BIRP]"
    r"|(?i:received|mime-version|content-[\w-]+|message-id|return-path|delivered-to|dkim-signature): |From \S+@"
)


class VisibleText(HTMLParser):
    """The text of a page outside tags, scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden = 0
        self.pieces: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)

    def __str__(self) -> str:
        return " ".join("".join(self.pieces).lower().split())


def texts_of(kind: str) -> list[tuple[str, str]]:
    """Return the names and texts of some files, evenly spread over all of the kind, or skip the test."""
    folders, pattern = KINDS[kind]
    paths = sorted(path for top in folders for path in files_named(pattern, top))
    chosen = paths[:: max(1, len(paths) // FILES_COUNT)][:FILES_COUNT]
    texts = [(str(path), text) for path in chosen if not is_blank(text := read(path))]
    if len(texts) < FILES_MIN_COUNT:
        pytest.skip(f"This machine has {len(texts)} files of the kind {kind}, and {FILES_MIN_COUNT} are needed.")
    return texts


def files_named(pattern: str, top: str) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        paths = (Path(folder, name) for name in names if re.fullmatch(pattern, name))
        yield from (path for path in paths if path.is_file())


def read(path: Path) -> str:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode(errors="ignore").replace("\0", "")[: raw_text_max_length()]


@pytest.mark.parametrize("kind", KINDS)
def test_title_of_a_real_file_is_no_markup(kind: str) -> None:
    titles = {name: draft(text).title for name, text in texts_of(kind)}

    assert {name: title for name, title in titles.items() if MARKUP_LINE.match(title)} == {}


def test_tags_of_real_pages_are_words_that_a_reader_sees() -> None:
    texts = texts_of("HTML")

    unseen = {}
    for name, text in texts:
        seen = str(VisibleText(text))
        unseen[name] = [tag for tag in draft(text).tags if tag not in seen and tag not in TAGS_WITHOUT_WORDS]

    assert not [name for name, tags in unseen.items() if "script" in tags]
    # Some pages are templates of a language that only their program knows.
    others = {name: tags for name, tags in unseen.items() if tags}
    assert len(others) <= len(texts) / 4, others
