"""The filtered list as a file."""

import csv
import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from items.admin import changelist, downloads
from items.states import Status
from tests.items.admin.pages import LIST
from tests.items.admin.staff import staff_client
from tests.items.factories import RAW_TEXT, make_item


def downloaded(client: Client, name: str, **query: str) -> str:
    response: Any = client.get(f"{LIST}download/{name}/", query)
    assert response.status_code == 200
    assert response.streaming
    assert response.headers["Content-Disposition"].endswith(f'.{name}"')
    return b"".join(response).decode()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_both_formats_have_what_the_filters_match(viewer: Client, owner: User, stranger: User) -> None:
    wanted = make_item(owner, status=Status.READY_TO_CONFIRM, title="Béans, and more", tags=["a", "b c"])
    make_item(owner, status=Status.FAILED)
    make_item(stranger, status=Status.READY_TO_CONFIRM)
    query = {"status": Status.READY_TO_CONFIRM.value, "owner": "owner", "q": "béans"}

    (row,) = rows_of(downloaded(viewer, "csv", **query))
    record = json.loads(downloaded(viewer, "jsonl", **query))

    assert (row["id"], row["title"], row["tags"]) == (str(wanted.pk), "Béans, and more", "a, b c")
    assert (record["id"], record["title"], record["tags"]) == (str(wanted.pk), "Béans, and more", ["a", "b c"])
    assert list(row) == list(record) == list(downloads.COLUMNS)
    assert (row["createdAt"], row["error"], record["error"]) == (record["createdAt"], "", None)


@pytest.mark.parametrize(("limit", "said"), [(1, True), (2, False)])
def test_list_says_that_a_file_is_cut(
    viewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch, *, limit: int, said: bool
) -> None:
    monkeypatch.setattr(changelist, "DOWNLOAD_LIMIT", limit)
    for _ in range(2):
        make_item(owner)

    assert ("Download the first 1" in viewer.get(LIST).text) == said


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"])
def test_spreadsheets_calculate_no_cell(viewer: Client, owner: User, title: str) -> None:
    make_item(owner, status=Status.ARCHIVED, title=title)

    (row,) = rows_of(downloaded(viewer, "csv"))

    assert row["title"] == f"'{title}"
    assert json.loads(downloaded(viewer, "jsonl"))["title"] == title


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", "\n=1"])
def test_cell_after_white_space_is_harmless_as_well(cell: str) -> None:
    assert downloads.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("order", ["", "oldest"])
def test_download_goes_over_pages_in_the_order_of_the_list(
    viewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(downloads, "PAGE_SIZE", 2)
    moments = [timezone.now() - timedelta(hours=hours // 2) for hours in range(5)]
    items = [make_item(owner, status=Status.ARCHIVED, created_at=moment) for moment in moments]

    rows = rows_of(downloaded(viewer, "csv", o=order))

    keys = sorted(((item.created_at, item.pk) for item in items), reverse=order != "oldest")
    assert [row["id"] for row in rows] == [str(pk) for _, pk in keys]


def test_download_ends_at_its_limit(viewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAGE_SIZE", 2)
    monkeypatch.setattr(downloads, "DOWNLOAD_LIMIT", 4)
    for _ in range(7):
        make_item(owner)

    assert len(rows_of(downloaded(viewer, "csv"))) == 4


def test_download_needs_the_permission_to_view(owner: User) -> None:
    client = staff_client("confirmer", "confirm_item")

    assert client.get(f"{LIST}download/csv/").status_code == 403
    assert Client().get(f"{LIST}download/csv/").status_code == 302


def test_unknown_format_and_filters_are_refused(viewer: Client) -> None:
    assert viewer.get(f"{LIST}download/xlsx/").status_code == 404
    assert viewer.get(f"{LIST}download/csv/?raw_text__contains=a").status_code == 400


def test_download_is_logged_without_texts(viewer: Client, owner: User, caplog: pytest.LogCaptureFixture) -> None:
    make_item(owner, status=Status.ARCHIVED, title="A secret title")

    with caplog.at_level(logging.INFO):
        text = downloaded(viewer, "jsonl", q="secret")

    assert RAW_TEXT not in text
    assert "download.finished" in caplog.text
    assert "'items': 1" in caplog.text
    assert "secret title" not in caplog.text
