"""The checks of these tests: they find each fault of a page, and nothing on a page without one."""

from urllib.parse import quote

import pytest

from tests.browser.browser import Browser

SOUND = """<p>A <a href="#">link</a> in a text.</p><details><summary>Folded</summary><p style="width:9999px">Unseen</p>
</details><div style="height:40px;overflow-y:auto" tabindex="0"><p style="height:999px">To be scrolled</p></div>"""
FAULTY = {
    "pixels wide, and the window": '<div style="width:3000px;height:9px"></div>',
    "stands outside": '<p style="position:absolute;left:-40px">Left behind</p>',
    "overlap": '<p style="margin:0">One</p><p style="margin:-15px 0 0">Other</p>',
    "is cut off": '<p style="overflow:hidden;width:60px;white-space:nowrap">More than there is room for</p>',
    "scrolls sideways": '<div style="overflow-x:auto" tabindex="0"><p style="width:9999px">Out of sight</p></div>',
}
BARRIERS = {
    "color-contrast": '<p style="color:#bbb">Hardly seen</p>',
    "label": "<input>",
    "target-size": '<button style="width:9px;height:9px;padding:0" aria-label="a"></button>' * 2,
    "image-alt": '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">',
}


def show(browser: Browser, body: str) -> None:
    page = f"<!doctype html><html lang=en><title>Page</title><body><main><h1>Page</h1>{body}</main>"
    browser.driver.get(f"data:text/html;charset=utf-8,{quote(page)}")


def test_sound_page_has_neither_faults_nor_barriers(browser: Browser) -> None:
    show(browser, SOUND)

    assert browser.faults() == []
    assert browser.barriers() == []


@pytest.mark.parametrize("words", FAULTY)
def test_fault_of_the_layout_is_found(browser: Browser, words: str) -> None:
    show(browser, FAULTY[words])

    faults = browser.faults()

    assert any(words in fault for fault in faults), faults


@pytest.mark.parametrize("rule", BARRIERS)
def test_barrier_is_found(browser: Browser, rule: str) -> None:
    show(browser, BARRIERS[rule])

    barriers = browser.barriers()

    assert any(barrier.startswith(rule) for barrier in barriers), barriers


def test_focus_that_cannot_be_seen_is_found(browser: Browser) -> None:
    show(browser, '<button style="outline:none">Somewhere</button>')

    with pytest.raises(AssertionError, match="cannot be seen"):
        browser.tab_to("Somewhere")


def test_request_that_failed_and_error_of_a_script_are_found(browser: Browser) -> None:
    browser.open("/favicon.ico")
    browser.driver.execute_script("fetch('/nothing-here'); setTimeout(() => { throw new Error('broken'); }, 0);")

    said = browser.all_complaints(2)

    assert any("404" in complaint for complaint in said)
    assert any("broken" in complaint for complaint in said)
