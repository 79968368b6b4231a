"""Karakeep's export in JSON: links and texts with tags and notes."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from items.transfer.formats.entry import Entry, ForeignFile, Found, Omitted, link_text
from items.transfer.formats.json_export import length, read_list, validated
from items.transfer.sources import Refused


class Content(BaseModel):
    url: str = ""
    text: str = ""


class Bookmark(BaseModel):
    title: str | None = None
    content: Content | None = None
    note: str | None = None
    tags: list[str] = []
    created_at: object = Field(None, alias="createdAt")
    archived: object = None
    custom_metadata: object = Field(None, alias="customMetadata")


def read(file: ForeignFile) -> Iterator[Found]:
    exported, bookmarks = read_list(file.text, "bookmarks")
    yield Omitted("lists", length(exported.get("lists")))
    for number, value in enumerate(bookmarks, 1):
        bookmark = validated(Bookmark, value, place=f"bookmark {number:,}")
        if isinstance(bookmark, Refused):
            yield bookmark
        else:
            yield from _read_bookmark(bookmark, place=f"bookmark {number:,}")


def _read_bookmark(bookmark: Bookmark, *, place: str) -> Iterator[Found]:
    yield Omitted("archive marks", int(bool(bookmark.archived)))
    yield Omitted("custom fields", int(bool(bookmark.custom_metadata)))
    title, content = bookmark.title or "", bookmark.content
    if content is None:
        # An image or a PDF: of these an export has only the title and the note.
        yield Omitted("images and PDFs")
        content = Content()
    raw_text = link_text(title, content.url, content.text, bookmark.note or "")
    if raw_text:
        yield Entry(
            place=place,
            title=title,
            raw_text=raw_text,
            tags=bookmark.tags,
            created_at=bookmark.created_at,
            is_article=bool(content.url),
        )
