"""A browser without scripts, which reads and submits the forms of a page."""

from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from items.models import Item

ACCEPT = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Form:
    """A form, with its URL and its initial values."""

    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.action = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").lower()
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str | None, str]] = []


class Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.attributes: set[str] = set()
        self._textarea: str | None = None
        # A browser sees one kind of line break, and none in a field of one line.
        self.feed(_lines(page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.attributes |= set(attributes)
        name = attributes.get("name") or ""
        if tag == "form":
            self.forms.append(Form(attributes))
        elif tag == "input" and (attributes.get("type") != "checkbox" or "checked" in attributes):
            self.forms[-1].fields[name] = (attributes.get("value") or "").replace("\n", "")
        elif tag == "textarea":
            self._textarea = name
            self.forms[-1].fields[name] = ""
        elif tag == "button" and attributes.get("type") != "button":
            self.forms[-1].buttons.append((attributes.get("name"), attributes.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            fields = self.forms[-1].fields
            fields[self._textarea] = fields[self._textarea].removeprefix("\n")
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Browser:
    """A logged-in browser, with CSRF checks."""

    def __init__(self, user: User) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.client.force_login(user)

    def open(self, url: str) -> str:
        response = self.client.get(url, headers=ACCEPT)
        assert response.status_code == 200, response.content
        return response.content.decode()

    def send(self, form: Form, **typed: str) -> Any:
        sent = {name: _lines(value).replace("\n", "\r\n") for name, value in {**form.fields, **typed}.items()}
        return self.client.post(form.action, sent, headers=ACCEPT)

    def form(self, url: str, *, to: str, button: str | None = None) -> Form:
        return next(
            form
            for form in Forms(self.open(url)).forms
            if form.action == to and form.method == "post" and (not button or ("action", button) in form.buttons)
        )


def url_of(item: Item) -> str:
    return f"/api/v1/items/{item.id}"
