"""The forms on the URLs of the API, which work without a script."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.api import views
from items.models import Item
from items.states import Action, Status
from tests.items.api.browser import Browser, Forms, url_of
from tests.items.factories import make_item


def test_capture_form_creates_an_item_and_redirects(owner: User) -> None:
    browser = Browser(owner)

    response = browser.send(browser.form("/api/v1/items", to="/api/v1/items"), rawText=" one\r\ntwo ")

    item = Item.objects.get()
    assert (response.status_code, response["Location"]) == (303, "/api/v1/items/pending")
    assert (item.owner, item.raw_text, item.status) == (owner, " one\ntwo ", Status.ENRICHING)


def test_capture_form_with_the_box_unchecked_archives_at_once(owner: User) -> None:
    browser = Browser(owner)
    form = browser.form("/api/v1/items", to="/api/v1/items")

    form.fields["enrich"] = "false"  # what the hidden field before the box sends
    browser.send(form, rawText="Just keep it.")

    assert Item.objects.get().status == Status.ARCHIVED


def test_longest_text_in_emoji_fits_into_the_form(owner: User) -> None:
    browser = Browser(owner)

    response = browser.send(browser.form("/api/v1/items", to="/api/v1/items"), rawText="🙂" * 100_000)

    assert response.status_code == 303
    assert len(Item.objects.get().raw_text) == 100_000


def test_refused_capture_shows_errors_and_keeps_the_input(owner: User) -> None:
    browser = Browser(owner)

    response = browser.send(browser.form("/api/v1/items", to="/api/v1/items"), rawText="x" * 100_001)

    page = response.content.decode()
    assert response.status_code == 400
    assert "<strong>Text may have at most 100,000 characters.</strong>" in page
    assert "rawText may" not in page
    assert next(form for form in Forms(page).forms if "rawText" in form.fields).fields["rawText"] == "x" * 100_001


def test_form_without_its_csrf_token_changes_nothing(owner: User) -> None:
    browser = Browser(owner)
    form = browser.form("/api/v1/items", to="/api/v1/items")

    response = browser.send(form, rawText="x", csrfmiddlewaretoken="")

    assert response.status_code == 403
    assert not Item.objects.exists()


@pytest.mark.parametrize(("button", "status"), [("save", Status.READY_TO_CONFIRM), ("confirm", Status.ARCHIVED)])
def test_edit_form_saves_or_confirms_with_the_edits(owner: User, button: str, status: Status) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = browser.form(url_of(item), to=url_of(item), button=button)

    response = browser.send(form, title="Mine", tags=" Big Data,, sql ,SQL", action=button)

    assert (response.status_code, response.headers.get("Location")) == (303, url_of(item)), response.content.decode()
    before = item.summary
    item.refresh_from_db()
    assert (item.title, item.summary, item.tags, item.status) == ("Mine", before, ["big data", "sql"], status)


AWKWARD_TAGS = ["salt, pepper", 'a "b" c', '"quoted"', '"x", y', "plain", "'single'"]


def test_edit_form_keeps_tags_with_special_characters(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.ARCHIVED, tags=AWKWARD_TAGS)

    browser.send(browser.form(url_of(item), to=url_of(item), button="save"), title="New", action="save")

    item.refresh_from_db()
    assert (item.title, item.tags) == ("New", AWKWARD_TAGS)


def test_refused_edit_keeps_tags_with_special_characters(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.ARCHIVED, tags=AWKWARD_TAGS)
    form = browser.form(url_of(item), to=url_of(item), button="save")

    page = browser.send(form, title="", action="save").content.decode()

    again = next(form for form in Forms(page).forms if "summary" in form.fields)
    assert again.fields["tags"] == form.fields["tags"]


@pytest.mark.parametrize(
    ("typed", "tags"),
    [("a,b", ["a", "b"]), (' "a, b" ,c', ["a, b", "c"]), ('"open, c', ["open, c"]), ("a\r\nb", ["a b"]), (",,", [])],
)
def test_tags_of_a_form_are_split_at_commas(owner: User, typed: str, tags: list[str]) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.ARCHIVED)

    browser.send(browser.form(url_of(item), to=url_of(item), button="save"), tags=typed, action="save")

    item.refresh_from_db()
    assert item.tags == tags


def test_edit_form_does_not_overwrite_a_newer_change(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.ARCHIVED)
    form = browser.form(url_of(item), to=url_of(item), button="save")
    item.edit(title="Changed elsewhere")

    response = browser.send(form, title="Mine", action="save")

    assert response.status_code == 412
    page = response.content.decode()
    assert "Mine" in page
    assert 'name="title"' not in page, "saving again would overwrite a change that was not shown"
    item.refresh_from_db()
    assert item.title == "Changed elsewhere"


def test_corrected_edit_does_not_overwrite_a_newer_change(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = browser.form(url_of(item), to=url_of(item), button="save")
    refused = browser.send(form, title="", action="save")
    item.edit(title="Changed elsewhere")
    again = next(form for form in Forms(refused.content.decode()).forms if "summary" in form.fields)

    response = browser.send(again, title="Mine", action="save")

    assert response.status_code == 412
    item.refresh_from_db()
    assert item.title == "Changed elsewhere"


def test_refused_edit_shows_errors_and_keeps_the_input(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    form = browser.form(url_of(item), to=url_of(item), button="save")

    response = browser.send(form, title="", summary="My own summary", tags="a, b", action="save")

    page = response.content.decode()
    assert response.status_code == 400
    assert "<strong>Title may not be blank.</strong>" in page
    assert next(form for form in Forms(page).forms if "summary" in form.fields).fields["summary"] == "My own summary"


@pytest.mark.parametrize("status", [status for status in Status if status != Status.DISCARDED])
def test_item_can_be_discarded_from_its_page(owner: User, status: Status) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=status)

    response = browser.send(browser.form(url_of(item), to=url_of(item), button="discard"), action="discard")

    assert response.status_code == 303
    item.refresh_from_db()
    assert item.status == Status.DISCARDED


@pytest.mark.parametrize("page", ["/api/v1/items/pending", "{item}"])
def test_failed_item_can_be_retried_from_list_and_page(owner: User, page: str) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.FAILED)
    url = page.format(item=url_of(item))

    response = browser.send(browser.form(url, to=f"{url_of(item)}/retry"))

    assert (response.status_code, response["Location"]) == (303, url)
    item.refresh_from_db()
    assert item.status == Status.ENRICHING


def test_ready_item_can_be_confirmed_from_the_list(owner: User) -> None:
    browser = Browser(owner)
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    browser.send(browser.form("/api/v1/items/pending", to=url_of(item), button="confirm"), action="confirm")

    item.refresh_from_db()
    assert item.status == Status.ARCHIVED


def test_all_failed_items_can_be_retried_at_once(owner: User) -> None:
    browser = Browser(owner)
    for _ in range(3):
        make_item(owner, status=Status.FAILED)

    response = browser.send(browser.form("/api/v1/items/pending", to="/api/v1/items/retry"))

    assert response.status_code == 303
    assert Item.objects.filter(status=Status.ENRICHING).count() == 3


def test_page_says_that_failed_items_remain(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "RETRY_BATCH_SIZE", 1)
    monkeypatch.setattr(views, "RETRY_SECONDS", 0)
    browser = Browser(owner)
    for _ in range(2):
        make_item(owner, status=Status.FAILED)

    browser.send(browser.form("/api/v1/items/pending", to="/api/v1/items/retry"))

    assert "1 item was sent back for a draft. Retry again for the others." in browser.open("/api/v1/items/pending")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_form_does_not_redirect_to_another_site(owner: User, target: str) -> None:
    browser = Browser(owner)

    response = browser.send(browser.form("/api/v1/items", to="/api/v1/items"), rawText="x", _next=target)

    assert response["Location"] == "/api/v1/items/pending"


def test_json_post_to_an_item_is_refused(owner: User) -> None:
    browser = Client()
    browser.force_login(owner)
    item = make_item(owner)

    response = browser.post(url_of(item), {"_method": "PATCH", "action": Action.DISCARD}, "application/json")

    assert response.status_code == 405


def test_form_post_without_accept_header_gets_json(owner: User) -> None:
    client = Client()
    client.force_login(owner)

    response = client.post("/api/v1/items", {"rawText": "x"})

    assert response.status_code == 201
    assert response.json()["status"] == "ENRICHING"
