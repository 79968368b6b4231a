"""import_items --from: exports of other programs."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from items.models import Item
from items.states import EnrichmentMode, SourceType, Status
from items.transfer import foreign
from items.transfer.conversion import Conversion
from items.transfer.formats.entry import Omitted
from items.transfer.importing import FoundRecord
from items.transfer.sources import Refused
from tests.items.transfer.commands import import_items

EXPORTS = Path(__file__).parent / "exports"
TIDES = "How tides work\nhttps://example.org/tides"
BOATS = 'Boats, "and" more\nhttps://example.org/boats?a=1&b=2'
UNTITLED = "https://example.org/untitled"


def read(path: Path, *, source: str) -> list[object]:
    """Read a file without the database, and return what is not an empty count."""
    found = foreign.read_foreign([str(path)], Conversion(source=source, owner=User(pk=1)), on_read=id)
    return [each for each in found if not (isinstance(each, Omitted) and not each.count)]


def stored() -> dict[str, list[str]]:
    return {item.raw_text: item.tags for item in Item.objects.all()}


@pytest.mark.parametrize(
    ("source", "name", "items", "omitted"),
    [
        (
            "karakeep",
            "karakeep.json",
            {
                f"{TIDES}\n\nRead before the holidays.\nThe part about the moon.": ["sea", "physics"],
                "  A thought,\n  with an indent.\n": [],
                "scan.pdf\n\nThe contract of the boat.": ["papers"],
            },
            "images and PDFs (2), lists (1), archive marks (1), custom fields (1)",
        ),
        (
            "linkwarden",
            "linkwarden.json",
            {f"{TIDES}\n\nAbout the moon.": ["sea", "physics"], "contract.pdf": []},
            "collections (2), pinned links (1), RSS subscriptions (1), uploaded files (1), texts of linked pages (1)",
        ),
        ("pocket", "pocket.csv", {TIDES: ["sea", "physics"], BOATS: [], UNTITLED: []}, "marks as read (1)"),
        ("pocket", "pocket.html", {TIDES: ["sea", "physics"], BOATS: [], UNTITLED: []}, ""),
        (
            "bookmarks",
            "firefox.html",
            {
                f"{TIDES}\n\nAbout the moon & the sea.\nOver two lines.": ["sea", "physics"],
                "Boats <new>\nhttps://example.org/boats?a=1&b=2": [],
            },
            "folders (1), saved searches (1), keywords (1)",
        ),
        ("bookmarks", "chrome.html", {TIDES: []}, "folders (1)"),
    ],
)
def test_export_of_another_program_is_imported_once(
    owner: User, capsys: pytest.CaptureFixture[str], source: str, name: str, items: dict[str, list[str]], omitted: str
) -> None:
    first = import_items(capsys, EXPORTS / name, "--from", source)
    second = import_items(capsys, EXPORTS / name, "--from", source)

    left_out = f"Not imported: {omitted}.\n" if omitted else ""
    assert first == f"Imported {len(items)} for owner.\n{left_out}"
    assert second == f"Imported 0 for owner.\n{len(items)} existed already and were not changed.\n{left_out}"
    assert stored() == items


@pytest.mark.parametrize(
    ("source", "name", "created_at"),
    [
        ("karakeep", "karakeep.json", datetime(2024, 1, 1, 11, tzinfo=UTC)),
        ("linkwarden", "linkwarden.json", datetime(2019, 5, 1, 8, tzinfo=UTC)),
        ("pocket", "pocket.csv", datetime(2024, 1, 1, 11, tzinfo=UTC)),
        ("pocket", "pocket.html", datetime(2024, 1, 1, 11, tzinfo=UTC)),
        ("bookmarks", "firefox.html", datetime(2024, 1, 1, 11, tzinfo=UTC)),
    ],
)
def test_link_is_archived_with_its_title_and_time(
    owner: User, capsys: pytest.CaptureFixture[str], source: str, name: str, created_at: datetime
) -> None:
    import_items(capsys, EXPORTS / name, "--from", source)

    item = Item.objects.get(title="How tides work")
    assert (item.status, item.enrichment_mode) == (Status.ARCHIVED, EnrichmentMode.MANUAL)
    assert (item.source_type, item.created_at) == (SourceType.ARTICLE, created_at)
    assert item.confirmed_at == item.updated_at > created_at


def test_imported_items_can_be_enriched(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    import_items(capsys, EXPORTS / "pocket.csv", "--from", "pocket", "--enrich")

    statuses = Item.objects.values_list("status", "enrichment_mode", "confirmed_at")
    assert set(statuses) == {(Status.ENRICHING, EnrichmentMode.AI, None)}


def test_two_owners_import_the_same_file(owner: User, stranger: User, capsys: pytest.CaptureFixture[str]) -> None:
    import_items(capsys, EXPORTS / "pocket.csv", "--from", "pocket")

    summary = import_items(capsys, EXPORTS / "pocket.csv", "--from", "pocket", owner="stranger")

    assert summary.startswith("Imported 3 for stranger.\n")


def test_options_of_other_programs_need_from(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="--enrich and --cut need --from"):
        import_items(capsys, EXPORTS / "pocket.csv", "--cut")


def test_folder_of_notes_is_imported(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / ".obsidian" / "app.md").write_text("settings")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "sea").mkdir()
    (tmp_path / "sea" / "The sea.md").write_bytes(b"\xef\xbb\xbfTides rise.\r\n\r\n#sea They fall.\r\n")
    (tmp_path / "sea" / "Boats.md").write_text(
        "--- \r\ntitle: My boats # not a part\r\naliases:\r\n  - Ships\r\ntags:\r\n  - '#Sea'\r\n  - sea/boats\r\n"
        "created: 2024-01-01 11:00\r\nrating: 5\r\ncssclass:\r\n---\r\nA boat.\r\n",
        newline="",
    )
    (tmp_path / "Plain.md").write_text("---\ntags: sea, Moon\n---\nText.")
    os.utime(tmp_path / "Plain.md", (1704106800, 1704106800))

    summary = import_items(capsys, tmp_path, "--from", "obsidian")

    assert (
        summary
        == "Imported 3 for owner.\nNot imported: other files (1), aliases (1), other fields of front matter (1).\n"
    )
    assert {item.title: (item.raw_text, item.tags) for item in Item.objects.all()} == {
        "The sea": ("Tides rise.\n\n#sea They fall.\n", []),
        "My boats": ("A boat.\n", ["sea", "sea/boats"]),
        "Plain": ("Text.", ["sea", "moon"]),
    }
    times = Item.objects.exclude(title="The sea").values_list("created_at", flat=True)
    assert set(times) == {datetime(2024, 1, 1, 11, tzinfo=UTC)}


def test_notes_with_equal_texts_and_other_titles_are_kept(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Monday.md", "Tuesday.md"):
        (tmp_path / name).write_text("Nothing happened.")

    assert import_items(capsys, tmp_path, "--from", "obsidian") == "Imported 2 for owner.\n"


def karakeep(**changes: Any) -> str:
    bookmark = {
        "createdAt": 1704106800,
        "title": "secret",
        "tags": [],
        "content": {"type": "link", "url": "https://example.org"},
        "note": None,
    }
    return json.dumps({"bookmarks": [bookmark | changes]})


@pytest.mark.parametrize(
    ("source", "content", "says"),
    [
        ("karakeep", "{", ": not an export of Karakeep: it is not JSON"),
        ("karakeep", "[" * 100_000, ": not an export of Karakeep: it is not JSON"),
        ("karakeep", f'{{"bookmarks": [{"1" * 5000}]}}', ": not an export of Karakeep: it is not JSON"),
        ("karakeep", "[]", ": not an export of Karakeep: it has no list of bookmarks"),
        ("karakeep", '{"bookmarks": {"secret": 1}}', ": not an export of Karakeep: it has no list of bookmarks"),
        ("karakeep", '{"bookmarks": ["secret"]}', ", bookmark 1: is not an object"),
        ("karakeep", karakeep(title=["secret"]), ", bookmark 1: title: has another form than in an export"),
        ("karakeep", karakeep(tags="secret"), ", bookmark 1: tags: has another form than in an export"),
        ("karakeep", karakeep(tags=[["secret"]]), ", bookmark 1: tags: has another form than in an export"),
        ("karakeep", karakeep(content="secret"), ", bookmark 1: content: has another form than in an export"),
        ("karakeep", karakeep(content={"url": 1}), ", bookmark 1: content: has another form than in an export"),
        ("karakeep", karakeep(note="x" * 1_000_000), ", bookmark 1: longer than 100,000 characters (--cut imports its"),
        ("karakeep", karakeep(note="secret\x00"), ", bookmark 1: with NUL characters"),
        ("karakeep", karakeep(note="secret\ud800"), ", bookmark 1: not UTF-8"),
        ("karakeep", karakeep(tags=["secret\ud800"]), ", bookmark 1: not UTF-8"),
        ("karakeep", karakeep(title=" ", content={"text": "\u200b\u00ad"}), ", bookmark 1: blank"),
        ("karakeep", "\ufeff" + karakeep(note="\x00"), ", bookmark 1: with NUL characters"),
        ("karakeep", "PK\x03\x04secret", ": a ZIP archive; import the files in it"),
        ("linkwarden", karakeep(), ": not an export of Linkwarden: it has no list of collections"),
        ("linkwarden", '{"collections": [1]}', ", collection 1: is not an object"),
        ("linkwarden", '{"collections": [{"name": "secret"}]}', ", collection 1: links: has another form"),
        ("linkwarden", '{"collections": [{"links": ["secret"]}]}', ", collection 1, link 1: is not an object"),
        ("linkwarden", '{"collections": [{"links": [{}]}]}', ", collection 1, link 1: blank"),
        ("linkwarden", '{"collections": [{"links": [{"url": 1}]}]}', ", collection 1, link 1: url: has another form"),
        ("pocket", "", ": not an export of Pocket: it has no column url"),
        ("pocket", '"secret', ": not an export of Pocket: it has no column url"),
        ("pocket", "secret;b\n", ": not an export of Pocket: it has no column url"),
        ("pocket", "title,url\nsecret,\n", ", line 2: a link without an address"),
        ("pocket", "title,url\nsecret\n", ", line 2: has 1 columns instead of 2"),
        ("pocket", 'title,url\n"secret,https://a\nb,https://b\n', ", lines 2 to 3: not CSV"),
        ("pocket", f'title,url\n"{"x" * 200_000}",https://a\n', ", line 2: not CSV"),
        ("bookmarks", "secret", ": not an export of a browser: it has no bookmarks in it"),
        ("bookmarks", "<A>secret</A>", ", line 1: a link without an address"),
        ("bookmarks", f"<A HREF='{'x' * 2_000_000}", ", line 1: not HTML, and the rest of the file"),
        ("bookmarks", "<DT>\n<!--" * 100_000, ", line 2: not HTML, and the rest of the file"),
        ("bookmarks", "<DT>\n<A HREF='secret", ", line 2: not HTML, and the rest of the file"),
        ("bookmarks", f"<DT>\n<A HREF='{'x' * 200_000}'>a</A>", ", line 2: longer than 100,000 characters"),
        ("obsidian", "---\na: b: c\n---\nsecret", ", line 2: is not YAML"),
        ("obsidian", "---\na: &a [*a]\n---\nsecret", ", line 2: may not use tags (!) and references"),
        ("obsidian", "---\ntitle: secret\n---\n", ": blank"),
        ("obsidian", "---\ntags:\n  - {a: b}\n---\n\u200b", ": blank"),
    ],
    ids=range(41),
)  # fmt: skip
def test_entry_that_is_not_valid_is_refused_by_its_place(tmp_path: Path, source: str, content: str, says: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content.encode(errors="surrogatepass"))

    (refused,) = (found for found in read(path, source=source) if not isinstance(found, Omitted))

    assert isinstance(refused, Refused)
    assert f"{refused.origin}: {refused.reason}".startswith(f"{path}{says}")
    assert "secret" not in refused.reason


@pytest.mark.parametrize("content", [b"caf\xe9", "café".encode("utf-16")])
def test_other_encoding_is_refused(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "file.md").write_bytes(content)

    assert "UTF-8" in import_items(capsys, tmp_path, "--from", "obsidian", exit_code=1)


def test_bad_row_does_not_stop_the_others(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pocket.csv"
    path.write_bytes(b'url,title\nhttps://a,caf\xe9\nhttps://b,"b"c\nhttps://c,c\n\nhttps://d\n')

    summary = import_items(capsys, path, "--from", "pocket", exit_code=1)

    assert summary == (
        f"Imported 1 for owner.\nRefused 3.\n  {path}, line 2: not UTF-8\n  {path}, line 3: not CSV\n"
        f"  {path}, line 6: has 1 columns instead of 2\n"
    )
    assert stored() == {"c\nhttps://c": []}


def test_unclosed_script_hides_no_link(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.html").write_text("<DT><A HREF='https://a'>a</A><DD><script><style><title><DT><A HREF='https://b'>b")

    import_items(capsys, tmp_path, "--from", "bookmarks")

    assert stored() == {"a\nhttps://a": [], "b\nhttps://b": []}


def test_long_text_is_cut_when_asked_and_keeps_its_id(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text(karakeep(note="x" * 200_000))

    import_items(capsys, tmp_path, "--from", "karakeep", "--cut")
    second = import_items(capsys, tmp_path, "--from", "karakeep", "--cut")

    assert len(Item.objects.get().raw_text) == 100_000
    assert "1 existed already" in second


@pytest.mark.parametrize(
    ("created_at", "year", "is_omitted"),
    [
        (1704106800, 2024, False),
        (1704106800123, 2024, False),
        (1704106800123456, 2024, False),
        ("1704106800", 2024, False),
        ("2024-01-01T11:00:00.000Z", 2024, False),
        ("2024-01-01", 2024, False),
        (None, None, False),
        (0, None, False),
        (-1, None, True),
        (1e300, None, True),
        ("9" * 400, None, True),
        ("1e9", None, True),
        ("yesterday", None, True),
        ("0001-01-01T00:00:00+14:00", None, True),
        ("9999-12-31T23:59:59-14:00", None, True),
        (True, None, True),
        ([], None, True),
        ({"a": 1}, None, True),
    ],
    ids=range(18),
)
def test_time_of_an_entry_is_kept_or_counted(
    tmp_path: Path, created_at: object, year: int | None, is_omitted: bool
) -> None:
    path = tmp_path / "a.json"
    path.write_text(karakeep(createdAt=created_at))

    imported, *omitted = read(path, source="karakeep")

    assert isinstance(imported, FoundRecord)
    record = imported.record
    assert record.created_at.year == year or (year is None and record.created_at == record.updated_at)
    assert omitted == [Omitted("times that cannot be read")] * is_omitted


def test_tags_and_titles_that_do_not_fit_are_counted(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = ["x" * 51, "a\x1bb\nc", "\u200b", "café", "cafe\u0301", "CAFÉ", *map(str, range(30))]
    head = json.dumps({"tags": tags, "title": "t" * 150})
    (tmp_path / "a.md").write_text(f"---\n{head}\n---\ntext")

    summary = import_items(capsys, tmp_path, "--from", "obsidian")

    assert summary == (
        "Imported 1 for owner.\nNot imported: tags after the first 20 of an item (12), "
        "tags longer than 50 characters (1), ends of titles longer than 100 characters (1).\n"
    )
    item = Item.objects.get()
    assert item.tags == ["a b c", "café", *map(str, range(18))]
    assert item.title == "t" * 99 + "…"


def test_large_file_is_refused(
    owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "FILE_MAX_BYTES", 1024**2)
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1024**2 + 1)

    assert "a.json: larger than 1 MiB" in import_items(capsys, tmp_path, "--from", "karakeep", exit_code=1)


def test_missing_file_is_refused(owner: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.json"

    assert f"{path}: no such file" in import_items(capsys, path, "--from", "karakeep", exit_code=1)
