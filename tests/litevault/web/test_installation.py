"""The web app manifest, and the page that other programs share texts with."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

from items.models import Item
from tests.items.api.browser import Browser, Forms

PASSWORD = "correct horse battery"


def shared(page: str) -> str:
    return next(form for form in Forms(page).forms if "rawText" in form.fields).fields["rawText"]


def test_manifest_has_icons_and_a_share_target() -> None:
    manifest = Client().get("/manifest.webmanifest")

    assert manifest["Content-Type"] == "application/manifest+json"
    content = manifest.json()
    assert content["share_target"]["action"] == "/capture"
    assert {icon["sizes"] for icon in content["icons"]} == {"192x192", "512x512", "any"}
    for icon in content["icons"]:
        if icon["type"] == "image/png":
            path = finders.find(icon["src"].removeprefix("/static/"))
            width = int.from_bytes(Path(str(path)).read_bytes()[16:20], "big")
            assert icon["sizes"] == f"{width}x{width}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"text": "A thought"}, "A thought"),
        ({"title": "A page", "url": "https://example.org/"}, "A page\n\nhttps://example.org/"),
        ({"title": "A page", "text": "A page https://example.org/", "url": "https://example.org/"}, None),
        ({"text": '</textarea><script>alert("x")</script>'}, '</textarea><script>alert("x")</script>'),
        ({"unknown": "ignored"}, ""),
        ({}, ""),
    ],
)
def test_shared_text_fills_the_form(owner: User, query: dict[str, str], expected: str | None) -> None:
    response = Browser(owner).client.get("/capture", query)

    assert shared(response.text) == (query["text"] if expected is None else expected)
    assert not Item.objects.exists(), "another site could capture by a link"


def test_shared_text_is_captured_with_its_form(owner: User) -> None:
    browser = Browser(owner)
    page = browser.client.get("/capture", {"text": "A thought"}).text

    browser.send(next(form for form in Forms(page).forms if "rawText" in form.fields))

    assert Item.objects.get().raw_text == "A thought"


def test_shared_text_survives_a_login(db: None) -> None:
    User.objects.create_user("ann", password=PASSWORD)
    client = Client()
    text = "Ümläute & signs: 100 % + #1?"

    refused = client.get("/capture", {"text": text})
    (back,) = parse_qs(urlsplit(refused["Location"]).query)["next"]
    login = client.post("/login", {"username": "ann", "password": PASSWORD, "next": back})

    assert shared(client.get(login["Location"]).text) == text
