"""Bookmarks in HTML, as browsers and many other programs export them, and as Pocket did."""

from collections.abc import Iterator
from html.parser import HTMLParser

from items.transfer.formats.entry import Entry, ForeignFile, Found, NotAnExport, Omitted, link_text
from items.transfer.sources import Refused

CHUNK_LENGTH = 64 * 1024
# What the parser has not understood yet, such as a tag with a large icon.
PENDING_MAX_LENGTH = 1024 * 1024
# A query of Firefox, and not an address.
QUERY_SCHEME = "place:"
ENDS_OF_ENTRY = {"dt", "dl", "h1", "h3", "hr", "li", "ul"}


class BookmarksParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Found] = []
        self.attributes: dict[str, str] | None = None
        self.line = 0
        self.title: list[str] = []
        self.note: list[str] = []
        self.target: list[str] | None = None
        """Where text belongs now: the title of a link, its note, or None."""

    def set_cdata_mode(self, *_arguments: object, **_options: object) -> None:
        """No element, such as a script without an end, hides the links that follow it."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.end_entry()
            self.attributes = {name: value or "" for name, value in attrs}
            self.line = self.getpos()[0]
            self.target = self.title
        elif tag == "dd" and self.attributes is not None:
            self.target = self.note
        elif tag in ENDS_OF_ENTRY:
            self.end_entry()
            self.found.append(Omitted("folders", int(tag == "h3")))
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.target = None
        elif tag in ENDS_OF_ENTRY:
            self.end_entry()

    def handle_data(self, data: str) -> None:
        if self.target is not None:
            self.target.append(data)

    def end_entry(self) -> None:
        """Read the link that has just ended, if there is one."""
        if (attributes := self.attributes) is not None:
            title, note = "".join(self.title), "".join(self.note)
            self.found += _read_link(attributes, title, note, place=f"line {self.line:,}")
        self.attributes = self.target = None
        self.title, self.note = [], []


def read(file: ForeignFile) -> Iterator[Found]:
    parser = BookmarksParser()
    is_empty = True
    for text in _chunks(file.text):
        parser.feed(text)
        is_empty = is_empty and all(isinstance(found, Omitted) for found in parser.found)
        yield from parser.found
        parser.found.clear()
        if len(parser.rawdata) > PENDING_MAX_LENGTH:
            break
    if parser.rawdata:
        yield Refused(f"line {parser.getpos()[0]:,}", "not HTML, and the rest of the file is not read")
    elif is_empty:
        raise NotAnExport("has no bookmarks in it")


def _chunks(text: str) -> Iterator[str]:
    for start in range(0, len(text), CHUNK_LENGTH):
        yield text[start : start + CHUNK_LENGTH]
    # Ends the last entry. HTMLParser.close() would take hours for some files.
    yield "</dl>"


def _read_link(attributes: dict[str, str], title: str, note: str, *, place: str) -> Iterator[Found]:
    url = attributes.get("href", "").strip()
    if url.startswith(QUERY_SCHEME):
        yield Omitted("saved searches")
    elif not url:
        yield Refused(place, "a link without an address")
    else:
        yield Omitted("keywords", int(bool(attributes.get("shortcuturl"))))
        yield Entry(
            place=place,
            title=title,
            raw_text=link_text(title, url, note.strip()),
            tags=attributes.get("tags", "").split(","),
            created_at=attributes.get("add_date") or attributes.get("time_added"),
            is_article=True,
        )
