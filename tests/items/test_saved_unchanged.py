"""What a page shows can be saved unchanged, in the owner's form and in the admin's, also odd values."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from items.models import Item
from items.states import Status
from items.texts import SUMMARY_MAX_LENGTH, TAG_MAX_LENGTH, TITLE_MAX_LENGTH
from tests.items.admin.pages import detail
from tests.items.admin.staff import EVERY_VERB, staff
from tests.items.api.browser import ACCEPT, Browser, Form, Forms, url_of
from tests.items.factories import make_item

FAMILY = "👨‍👩‍👧‍👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
# Valid by today's rules.
VALID = {
    "title of 100 emoji": {"title": "🙂" * TITLE_MAX_LENGTH},
    "summary of 500 emoji": {"summary": "🙂" * SUMMARY_MAX_LENGTH},
    "summary of 500 characters in lines": {"summary": "a\n" * (SUMMARY_MAX_LENGTH // 2 - 1) + "aa"},
    "summary with blank lines": {"summary": "one\n\n\ntwo\n  three"},
    "markup": {"title": "</title>&amp;<b>\"'", "summary": "</textarea><script>", "tags": ["</p>", "&lt;", "'"]},
    "NFD": {"title": "cafe\u0301", "summary": "cafe\u0301\ncafe\u0301"},
    "emoji of several characters": {"title": FAMILY, "summary": ENGLAND, "tags": [FAMILY]},
    "tags with commas and quotes": {"tags": ["salt, pepper", 'a "b" c', '"quoted"', '"x", y', "'single'", ","]},
    "twenty long tags": {"tags": [f"{number}".rjust(TAG_MAX_LENGTH, "ä") for number in range(20)]},
    "bidirectional": {"title": "شكرا abc", "summary": "a\u200fb"},
}
# From before a rule, from SQL or from an old export.
ODD = {
    "line breaks in the title": {"title": "one\ntwo\r\nthree\rfour"},
    "control characters": {"title": "\x1b[1mbold\x07", "summary": "a\x0b\x0c\x1b b"},
    "line and paragraph separators": {"title": "a\u2028b\u2029c\x85d", "summary": "a\u2028b\x85c"},
    "white space around": {"title": " \u00a0title\u3000 ", "summary": "\n\n  summary \n", "tags": [" a ", "b\t"]},
    "blank": {"title": "   ", "summary": " \n "},
    "invisible": {"title": "\u200b\ufeff", "tags": ["\u2060"]},
    "carriage returns": {"summary": "one\r\ntwo\rthree\n\rfour\r"},
    "tags in capitals, twice": {"tags": ["Garden", "garden", "Garden"]},
    "tags with line breaks": {"tags": ["a\nb", "c\r\nd", "e\rf"]},
    "noncharacters": {"title": "a\uffffb\ufdd0", "summary": "\ufffe"},
}
NULL = {
    "no summary": {"summary": None},
    "no title": {"title": None},
    "nothing": {"title": None, "summary": None, "tags": []},
}


def saved_by_owner(item: Item, button: str = "save", **typed: str) -> None:
    browser = Browser(item.owner)
    form = browser.form(url_of(item), to=url_of(item), button=button)
    response = browser.send(form, **typed, action=button)
    assert response.status_code == 303, response.text


def saved_by_reviewer(item: Item, button: str = "save", **typed: str) -> None:
    browser = Browser(User.objects.filter(username="reviewer").first() or staff("reviewer", *EVERY_VERB))
    form = item_form(browser.open(detail(item)))
    form.action = detail(item)
    response = browser.send(form, **typed, **{f"_{button}": ""})
    assert response.status_code == 302, response.text


def item_form(page: str) -> Form:
    return next(form for form in Forms(page).forms if "seen_at" in form.fields)


Save = Callable[..., None]
BOTH = pytest.mark.parametrize("save", [saved_by_owner, saved_by_reviewer])


def draft_of(item: Item) -> tuple[str | None, str | None, list[str]]:
    item.refresh_from_db()
    return item.title, item.summary, item.tags


@BOTH
@pytest.mark.parametrize("stored", [*VALID.values(), *ODD.values()], ids=[*VALID, *ODD])
def test_item_is_saved_unchanged(owner: User, save: Save, stored: dict[str, object]) -> None:
    item = make_item(owner, status=Status.ARCHIVED, **stored)
    before = draft_of(item)

    save(item)

    assert draft_of(item) == before


@BOTH
@pytest.mark.parametrize("stored", ODD.values(), ids=ODD)
def test_odd_item_is_confirmed_unchanged(owner: User, save: Save, stored: dict[str, object]) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM, **stored)
    before = draft_of(item)

    save(item, "confirm")

    assert draft_of(item) == before
    assert item.status == Status.ARCHIVED


@BOTH
@pytest.mark.parametrize("stored", NULL.values(), ids=NULL)
def test_item_with_gaps_is_saved_unchanged(owner: User, save: Save, stored: dict[str, object]) -> None:
    item = make_item(owner, status=Status.ARCHIVED, **stored)
    before = draft_of(item)

    save(item)

    assert draft_of(item) == before


FIRST_LINES = [
    "\x1b[1mbold\x07",
    "\u200b\u2060",
    "---",
    "a\x0bb\x1cc",
    "🙂" * 200,
    f"{FAMILY * 20}",
    "  a\u00a0",
    "\u2800",
]


@BOTH
def test_titles_made_from_texts_are_saved_unchanged(owner: User, save: Save) -> None:
    for line in FIRST_LINES:
        item = Item.objects.capture(owner=owner, raw_text=f"{line}\r\nand more", enrich=False)
        before = draft_of(item)

        save(item)

        assert draft_of(item) == before


@BOTH
def test_other_fields_of_an_odd_item_can_be_edited(owner: User, save: Save) -> None:
    item = make_item(owner, status=Status.ARCHIVED, title="a\x1bb", tags=["A\nB"])

    save(item, summary="one\ntwo")

    assert draft_of(item) == ("a\x1bb", "one\ntwo", ["A\nB"])


@BOTH
@pytest.mark.parametrize("stored", VALID.values(), ids=VALID)
def test_typed_values_are_stored_as_typed(owner: User, save: Save, stored: dict[str, object]) -> None:
    """What one item shows is typed into the form of another."""
    source = make_item(owner, status=Status.ARCHIVED, **stored)
    target = make_item(owner, status=Status.ARCHIVED, title="Other", summary="Other", tags=["other"])
    if save is saved_by_owner:
        shown = Browser(owner).form(url_of(source), to=url_of(source), button="save").fields
    else:
        shown = item_form(Browser(staff("reviewer", *EVERY_VERB)).open(detail(source))).fields

    save(target, **{name: shown[name] for name in ("title", "summary", "tags")})

    assert draft_of(target) == draft_of(source)


def test_value_as_it_was_read_can_be_sent_back_as_json(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED, title="a\x1bb", summary=" c ", tags=["A\nB"])
    client = Client()
    client.force_login(owner)
    read = client.get(url_of(item)).json()

    response = client.patch(
        url_of(item), {name: read[name] for name in ("title", "summary", "tags")}, content_type="application/json"
    )

    assert response.status_code == 200, response.text
    assert draft_of(item) == ("a\x1bb", " c ", ["A\nB"])


TEXTS = {
    "line break first": "\n\n one\n",
    "white space around": "  a\u00a0\t\n ",
    "markup": "</textarea></pre><script>alert(1)</script>&amp;",
    "control characters": "a\x1b[0m\x0c\x0b\x85\u2028b",
    "NFD and emoji": f"cafe\u0301 {FAMILY} {ENGLAND}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_refused_text_is_still_in_the_form(owner: User, text: str) -> None:
    browser = Browser(owner)
    form = browser.form("/api/v1/items", to="/api/v1/items")

    # A second mistake, which a person can correct.
    refused = browser.send(form, rawText=text, enrich="perhaps")
    again = next(form for form in Forms(refused.text).forms if "rawText" in form.fields)
    stored = browser.send(again, enrich="false")

    assert refused.status_code == 400
    assert stored.status_code == 303, stored.text
    assert Item.objects.get().raw_text == text


def test_page_shows_a_line_break_at_the_start_of_the_text(owner: User) -> None:
    item = make_item(owner, raw_text="\n\n  indented")

    page = Browser(owner).open(url_of(item))

    # A browser drops the first line break.
    assert ">\n\n\n  indented</pre>" in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"title": "x" * 101}, "title"),
        ({"summary": "x" * 501}, "summary"),
        ({"tags": 'ok, "' + "x" * 51}, "tags"),
        ({"tags": ",".join("abcdefghijklmnopqrstuvwxyz")}, "tags"),
        ({"tags": "x" * 140_000}, "tags"),
    ],
)
def test_error_is_beside_the_field_with_what_was_typed(
    owner: User, settings: Settings, typed: dict[str, str], field: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    browser = Browser(owner)
    form = browser.form(url_of(item), to=url_of(item), button="save")

    response = browser.send(form, **typed, action="save")

    again = next(form for form in Forms(response.text).forms if "summary" in form.fields)
    assert response.status_code == 400
    assert again.fields[field] == typed[field]
    assert f'aria-describedby="{field}-error"' in response.text
    assert f'<div class="error" id="{field}-error">' in response.text


@pytest.mark.parametrize("page", ["/api/v1/items", "/api/v1/items/pending", "{item}", "{admin}", "/admin/", "/login"])
def test_no_field_cuts_what_is_typed(owner: User, page: str) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    client = Client()
    if page != "/login":
        client.force_login(owner)

    response = client.get(page.format(item=url_of(item), admin=detail(item)), headers=ACCEPT)

    assert response.status_code == 200
    assert "<form" in response.text
    assert "maxlength" not in response.text


@pytest.mark.parametrize("page", ["{item}", "{admin}"])
def test_fields_with_a_limit_have_a_counter(owner: User, page: str) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    client = Client()
    client.force_login(owner)

    response = client.get(page.format(item=url_of(item), admin=detail(item)), headers=ACCEPT)

    assert f'data-limit="{TITLE_MAX_LENGTH}"' in response.text
    assert f'data-limit="{SUMMARY_MAX_LENGTH}"' in response.text
    assert "/static/items/counter.js" in response.text
