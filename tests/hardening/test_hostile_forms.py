"""Hostile values in every form field and query parameter of the pages: no answer is a 5xx, and every header is safe."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client

from items.states import Status
from litevault.accounts.models import ApiToken
from tests.items.api.browser import ACCEPT
from tests.items.factories import make_item

START = ("/admin/", "/api/v1/items", "/api/v1/items/pending", "/login")
# Logging out would end the walk.
LEFT_OUT = re.compile(r"/(logout|static|metrics|jsi18n|api/v1/(docs|schema|events))\b")
# Parameters of Django's admin, of our buttons and of others, which no link of a page may contain.
HIDDEN = {
    *("q", "p", "o", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters", "next", "seen", "back"),
    *("id__exact", "owner__username", "pk__in", "lang", "format", "cursor", "limit", "part"),
}
# Not in the page without a script, or on another page.
HIDDEN_FIELDS = {"_next", "_method", "_selected_action", "select_across", "index", "_popup", "_saveasnew", "seen"}
VALUES = (
    b"",
    b"\x00",
    b"/\x00",
    b"/a\r\nX-Evil: b",
    b"//evil.example",
    b"\xff\xfe",
    b"xyz",
    b"-1",
    b"9" * 400,
    b"%' OR 1=1 --",
    "\u202e\U0001f4a3\ud7ff".encode(),
    b"2026-99-99 25:61",
    b"a" * 20_000,
    b"1",
)
UNSAFE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


@dataclass
class Form:
    """The form of a page, with the values that a browser would send."""

    url: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, ...]:
        """Equal for the forms of two items, which differ only in their ids."""
        return (without_ids(self.url), self.method, *sorted(self.fields))


class Page(HTMLParser):
    def __init__(self, url: str, content: str) -> None:
        super().__init__()
        self.url = url
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._select = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            self.forms.append(Form(urljoin(self.url, given.get("action", "")), given.get("method", "get").lower()))
        elif tag == "select":
            self._select = given.get("name", "")
        if not self.forms:
            return
        fields = self.forms[-1].fields
        if tag in {"input", "textarea", "select", "button"} and given.get("name"):
            fields.setdefault(given["name"], given.get("value", ""))
        elif tag == "option" and "selected" in given:
            fields[self._select] = given.get("value", "")


def without_ids(url: str) -> str:
    return re.sub(r"/([0-9a-f-]{36}|\d+)(?=/|$)", "/ID", urlsplit(url).path)


@pytest.fixture
def client(db: None) -> Client:
    """The browser of a superuser who also owns items, with one item in each status."""
    user = User.objects.create_superuser("root", password="a-long-passphrase")
    for status in Status:
        make_item(owner=user, status=status)
    Group.objects.create(name="reviewers")
    ApiToken.objects.issue(user=user, name="laptop")
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def walk(client: Client) -> Iterator[Page]:
    """Follow the links from page to page, to one page of each kind."""
    seen: set[str] = set()
    waiting = list(START)
    while waiting:
        url = waiting.pop(0)
        path = urlsplit(url).path
        if without_ids(path) in seen or LEFT_OUT.search(path) or not path.startswith("/") or urlsplit(url).netloc:
            continue
        seen.add(without_ids(path))
        response = client.get(path, headers=ACCEPT)
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            page = Page(path, response.content.decode())
            waiting += page.links
            yield page


def requests_of(pages: list[Page]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return method, path and parameters of every request: one parameter at a time is hostile."""
    parameters: dict[str, set[str]] = {}
    forms: dict[tuple[str, ...], Form] = {}
    for page in pages:
        names = {name for link in page.links for name, _ in parse_qsl(urlsplit(link).query)}
        parameters[page.url] = names | HIDDEN
        for form in page.forms:
            if not LEFT_OUT.search(form.url):
                forms.setdefault(form.kind, form)
    for path, names in parameters.items():
        for name in sorted(names):
            for value in VALUES:
                yield "get", path, {name: value}
    for form in forms.values():
        for name in sorted({*form.fields, *(HIDDEN_FIELDS if form.method == "post" else ())} - {"csrfmiddlewaretoken"}):
            for value in VALUES:
                yield form.method, urlsplit(form.url).path, {**form.fields, name: value}


class Rollback(Exception):
    pass


def test_hostile_values_break_no_page(client: Client) -> None:
    pages = list(walk(client))
    statuses: Counter[int] = Counter()
    broken = []
    for method, path, parameters in requests_of(pages):
        query = urlencode(parameters)
        with suppress(Rollback), transaction.atomic():
            if method == "get":
                response = client.get(f"{path}?{query}", headers=ACCEPT)
            else:
                response = client.post(path, query, content_type="application/x-www-form-urlencoded", headers=ACCEPT)
            raise Rollback
        statuses[response.status_code] += 1
        if response.status_code >= 500 or any(UNSAFE.search(value) for value in response.headers.values()):
            broken.append(
                (response.status_code, method, path, {k: v for k, v in parameters.items() if isinstance(v, bytes)})
            )
    print(len(pages), [p.url for p in pages], statuses)
    assert not broken, broken
