"""What is typed or pasted into a form in a real browser is kept or refused as a whole, never cut."""

from django.conf import settings
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from items.texts import SUMMARY_MAX_LENGTH, TITLE_MAX_LENGTH, raw_text_max_length
from tests.browser.browser import Browser
from tests.items.admin.pages import detail
from tests.items.factories import make_item

EMOJI = "🙂"


def paste(browser: Browser, text: str, *, into: str) -> None:
    field = browser.field(into)
    field.click()
    browser.driver.execute_cdp_cmd("Input.insertText", {"text": text})


def value_of(browser: Browser, field: str) -> str:
    return str(browser.field(field).get_property("value"))


def test_text_that_is_too_long_is_refused_and_kept(browser: Browser, person: User) -> None:
    text = f"First line.\n{EMOJI}" + "x" * (raw_text_max_length() + 3_795)
    browser.log_in(person)
    browser.open("/api/v1/items")

    paste(browser, text, into="Text")
    counter = f"{len(text):,} of {raw_text_max_length():,} characters"
    browser.shows(counter)
    browser.click("Capture")
    browser.shows(f"Text may have at most {raw_text_max_length():,} characters.")
    browser.forgive("400 (Bad Request)")

    assert value_of(browser, "Text") == text
    assert counter in browser.text
    assert browser.faults() == []
    assert browser.barriers() == []
    assert not Item.objects.exists()
    longest = EMOJI * raw_text_max_length()
    browser.field("Text").clear()
    paste(browser, longest, into="Text")
    browser.shows(f"{raw_text_max_length():,} of {raw_text_max_length():,} characters")
    browser.click("Capture")
    browser.shows("Pending 1")
    assert Item.objects.get().raw_text == longest


def test_form_over_the_limit_of_a_body_can_be_corrected(browser: Browser, person: User) -> None:
    text = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    browser.log_in(person)
    browser.open("/api/v1/items")

    paste(browser, text, into="Text")
    browser.click("Capture")
    browser.shows(f"The body must not exceed {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024:,} KiB.")
    browser.forgive("413 (")
    browser.driver.back()

    browser.shows(f"{len(text):,} of")
    assert value_of(browser, "Text") == text
    assert not Item.objects.exists()


def test_item_is_saved_unchanged_on_both_pages(browser: Browser, person: User, reviewer: User) -> None:
    title = EMOJI * TITLE_MAX_LENGTH
    summary = "\n one\r\ntwo\rthree\n\n".ljust(SUMMARY_MAX_LENGTH - 1, EMOJI) + "\n"
    tags = ["salt, pepper", 'a "b" c', '"quoted"', "c\nd", "cafe\u0301"]
    item = make_item(person, status=Status.ARCHIVED, title=title, summary=summary, tags=tags)

    for user, page in ((person, f"/api/v1/items/{item.pk}"), (reviewer, detail(item))):
        seen_at = item.updated_at
        browser.log_in(user)
        browser.open(page)
        browser.shows(f"{TITLE_MAX_LENGTH} of {TITLE_MAX_LENGTH} characters")
        assert browser.faults() == []
        assert browser.barriers() == []
        browser.click("Save")
        browser.shows("was saved" if user is person else "was changed successfully")

        item.refresh_from_db()
        assert (item.title, item.summary, item.tags) == (title, summary, tags)
        assert item.updated_at > seen_at
