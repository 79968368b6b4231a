"""A filter that is refused: its form is shown again, with the error beside its field."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.items.api.browser import ACCEPT, Browser, Forms, url_of
from tests.items.factories import make_item

FIELDS = {
    "q": "a b c d e f g h i j k",
    "status": "DONE",
    "sourceType": "BOOK",
    "tag": "a" * 51,
    "errorCode": "llm_timeout",
    "accents": "keep",
}
MARKUP = '"><script>alert(1)</script>'


def refused(owner: User, url: str, **query: Any) -> str:
    response = Browser(owner).client.get(url, query, headers=ACCEPT)
    assert response.status_code == 400
    return response.content.decode()


def fields_with_errors(page: str) -> dict[str, str]:
    """Return the error that each field refers to."""
    found = {}
    for field in re.findall(r"<(?:input|select)[^>]* aria-invalid=[^>]*>", page):
        (name,) = re.findall(r' name="(\w+)"', field)
        (described_by,) = re.findall(r' aria-describedby="([\w -]+)"', field)
        (error,) = re.findall(rf'<p class="error" id="{described_by.split()[0]}">(.*?)</p>', page)
        found[name] = unescape(error)
    return found


@pytest.mark.parametrize("name", FIELDS)
def test_error_is_beside_its_field(owner: User, name: str) -> None:
    page = refused(owner, "/api/v1/items", **{name: FIELDS[name]})

    errors = fields_with_errors(page)

    assert list(errors) == [name]
    assert errors[name].startswith(("May have", "Must be"))


def test_every_refused_field_has_its_error_and_others_stay(owner: User) -> None:
    page = refused(owner, "/api/v1/items", q="kept", status="FAILED", tag="a" * 51, errorCode="%")

    (form,) = (form for form in Forms(page).forms if "q" in form.fields)

    assert set(fields_with_errors(page)) == {"tag", "errorCode"}
    assert (form.fields["q"], form.fields["tag"]) == ("kept", "a" * 51)
    assert '<option value="FAILED" selected>' in page


def test_corrected_filter_is_sent_to_the_list(owner: User) -> None:
    page = refused(owner, "/api/v1/items", tag="a" * 51)

    (form,) = (form for form in Forms(page).forms if "q" in form.fields)
    response = Browser(owner).client.get(form.action or "/api/v1/items", {**form.fields, "tag": "a"}, headers=ACCEPT)

    assert (form.method, response.status_code) == ("get", 200)


@pytest.mark.parametrize("query", [{"sort": "title"}, {"cursor": "next"}, {"limit": "0"}])
def test_parameter_without_a_field_is_named_above(owner: User, query: dict[str, str]) -> None:
    page = refused(owner, "/api/v1/items", **query)

    assert fields_with_errors(page) == {}
    assert 'name="q"' in page
    assert re.search(r'role="alert">\s*<strong>.+</strong>', page)


def test_beginning_of_tags_is_shown_again(owner: User) -> None:
    page = refused(owner, "/api/v1/tags", q="a" * 51)

    assert list(fields_with_errors(page)) == ["q"]
    assert 'name="status"' not in page


def test_pending_list_offers_its_statuses(owner: User) -> None:
    page = refused(owner, "/api/v1/items/pending", status="ARCHIVED")

    assert re.findall(r'href="\?status=(\w+)"', page) == ["ENRICHING", "READY_TO_CONFIRM", "FAILED"]


def test_item_is_shown_without_a_refused_search(owner: User) -> None:
    item = make_item(owner)

    page = refused(owner, url_of(item), q="a b c d e f g h i j k")

    assert f'<a href="{url_of(item)}">Show the item</a>' in page


@pytest.mark.parametrize("url", ["/api/v1/items", "/api/v1/items/pending", "/api/v1/tags"])
def test_refused_values_are_escaped(owner: User, url: str) -> None:
    page = refused(owner, url, **{name: f"{MARKUP}{value}" for name, value in FIELDS.items()}, more=MARKUP)

    assert "<script>alert" not in page
