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
# Parameters of lists and of other pages that no link may contain.
OF_LISTS = {"q", "p", "o", "e", "_popup", "_to_field", "id__exact"}
OF_PAGES = {"_changelist_filters", "next", "seen", "back", "part"}
# Fields that a script adds, or that are in another form.
OF_FORMS = {"_next", "_method", "_selected_action", "select_across", "_popup"}
FEW = (b"/\x00", b"9" * 400, b"/a\r\nX-Evil: b", b"xyz")
VALUES = (*FEW, b"\xff\xfe", "%' \u202e\U0001f4a3".encode())
UNSAFE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


@dataclass
class Form:
    """The form of a page, with the values that a browser would send."""

    url: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)

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
        elif tag == "option" and given.get("value"):
            self.forms[-1].options.setdefault(self._select, []).append(given["value"])
            if "selected" in given:
                fields[self._select] = given["value"]


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


def requests_of(pages: list[Page]) -> Iterator[tuple[str, str, dict[str, str | bytes]]]:
    """Return method, path and parameters of every request: one parameter at a time is hostile."""
    for page in pages:
        is_list = any(form.method == "get" for form in page.forms)
        linked = {name for link in page.links for name, _ in parse_qsl(urlsplit(link).query)}
        for name in sorted(linked | (OF_LISTS if is_list else OF_PAGES)) if is_ours(page.url) else ():
            for value in FEW if is_list else FEW[:1]:
                yield "get", page.url, {name: value}
    forms = {form.kind: form for page in pages for form in page.forms if not LEFT_OUT.search(form.url)}
    for form in forms.values():
        path = urlsplit(form.url).path
        if actions := form.options.get("action"):
            yield from selections(path, actions)
            continue
        for name in sorted({*form.fields, *(OF_FORMS if form.method == "post" else ())} - {"csrfmiddlewaretoken"}):
            for value in VALUES if is_ours(path) else FEW[:1]:
                yield form.method, path, {**form.fields, name: value}


def selections(path: str, actions: list[str]) -> Iterator[tuple[str, str, dict[str, str | bytes]]]:
    """Return the form of a list in the admin, with each action, for the selected rows and for all."""
    yield "post", path, {"action": FEW[0], "_selected_action": "1"}
    for action in actions:
        for across in ("0", "1", FEW[0]):
            for value in (*FEW, b""):
                yield "post", path, {"action": action, "select_across": across, "_selected_action": value}


def is_ours(url: str) -> bool:
    """Return whether the page is ours, and not one of Django's as it is."""
    return not urlsplit(url).path.startswith(("/admin/auth/", "/admin/password_change/"))


class Rollback(Exception):
    pass


def test_hostile_values_break_no_page(client: Client) -> None:
    pages = list(walk(client))
    broken = []
    statuses: Counter[int] = Counter()
    for method, path, parameters in requests_of(pages):
        response = send(client, method, path, urlencode(parameters))
        statuses[response.status_code] += 1
        if response.status_code >= 500 or any(map(UNSAFE.search, response.headers.values())):
            hostile = {name: value[:40] for name, value in parameters.items() if isinstance(value, bytes)}
            broken.append((response.status_code, method, path, hostile))

    assert not broken
    assert {200, 302, 303, 400} <= statuses.keys()


def send(client: Client, method: str, path: str, query: str) -> Any:
    """Undo what the request does, so that the next one finds the same data."""
    with suppress(Rollback), transaction.atomic():
        if method == "get":
            response = client.get(f"{path}?{query}", headers=ACCEPT)
        else:
            response = client.post(path, query, content_type="application/x-www-form-urlencoded", headers=ACCEPT)
        raise Rollback
    return response
