"""Linkwarden's export in JSON: links with tags and descriptions, in collections."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from items.transfer.formats.entry import Entry, ForeignFile, Found, Omitted, link_text
from items.transfer.formats.json_export import length, read_list, validated
from items.transfer.sources import Refused

FILE_TYPES = ("pdf", "image")


class Tag(BaseModel):
    name: str


class Link(BaseModel):
    name: str | None = None
    url: str | None = None
    description: str | None = None
    tags: list[Tag] = []
    type: object = None
    text_content: object = Field(None, alias="textContent")
    created_at: object = Field(None, alias="createdAt")
    import_date: object = Field(None, alias="importDate")


class Collection(BaseModel):
    links: list[object]


def read(file: ForeignFile) -> Iterator[Found]:
    exported, collections = read_list(file.text, "collections")
    yield Omitted("pinned links", length(exported.get("pinnedLinks")))
    for number, value in enumerate(collections, 1):
        place = f"collection {number:,}"
        yield Omitted("collections")
        collection = validated(Collection, value, place=place)
        if isinstance(collection, Refused):
            yield collection
            continue
        if isinstance(value, dict):
            yield Omitted("RSS subscriptions", length(value.get("rssSubscriptions")))
        for link_number, link in enumerate(collection.links, 1):
            yield from _read_link(link, place=f"{place}, link {link_number:,}")


def _read_link(value: object, *, place: str) -> Iterator[Found]:
    link = validated(Link, value, place=place)
    if isinstance(link, Refused):
        yield link
        return
    yield Omitted("uploaded files", int(link.type in FILE_TYPES))
    yield Omitted("texts of linked pages", int(bool(link.text_content)))
    title, url = link.name or "", link.url or ""
    yield Entry(
        place=place,
        title=title,
        raw_text=link_text(title, url, link.description or ""),
        tags=[tag.name for tag in link.tags],
        # The time that an import into Linkwarden has kept is older.
        created_at=link.import_date or link.created_at,
        is_article=bool(url),
    )
