"""A person's actions in a browser: open, read, type, press. Nothing here depends on a page's markup."""

import json
from collections.abc import Callable, Collection
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client
from selenium import webdriver
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.waiting import until

FAULTS = Path(__file__).with_name("faults.js").read_text()
AXE = files("selenium_axe_python").joinpath("axe-core/axe.min.js").read_text()
# WCAG 2.2's target size is off by default.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}
GRAVE = ("serious", "critical")
EVERY = ("minor", "moderate", *GRAVE)
MOST_TABS = 80
NARROW = 600

FIND_CONTROL = """
const [name] = arguments;
const spoken = (e) => (e.innerText || e.value || e.getAttribute('aria-label') || '').trim().replace(/\\s+/g, ' ');
return [...document.querySelectorAll('a[href], button, summary, input[type=submit], [role=button]')]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled)
  .find((e) => spoken(e) === name || e.getAttribute('aria-label') === name);
"""
FIND_FIELD = """
const [label] = arguments;
const labels = (e) => [...(e.labels || [])].map((l) => l.innerText).concat(e.getAttribute('aria-label') || '');
return [...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
  .filter((e) => e.checkVisibility({visibilityProperty: true}))
  .find((e) => labels(e).some((text) => text.trim().startsWith(label)));
"""
# The focused element, and whether its focus is visible.
FOCUS = """
const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
const isOutlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
const isInside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
const name = (e.labels?.[0]?.innerText || e.innerText || e.value || e.getAttribute('aria-label') || '').trim();
return {name, isVisible: isOutlined && isInside, isBody: e === document.body};
"""
RUN_AXE = "const [options, done] = arguments; axe.run(document, options).then(done, (e) => done({error: String(e)}));"


class Browser:
    def __init__(self, driver: "webdriver.Chrome", address: str) -> None:
        self.driver = driver
        self.address = address
        self.keys_pressed = 0
        self.resize(1440, 900)
        self.theme("light")

    def resize(self, width: int, height: int) -> None:
        """Resize the window: narrow as a phone's, or wide."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < NARROW}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, name: str) -> None:
        """Emulate the system's light or dark mode."""
        wanted = {"name": "prefers-color-scheme", "value": name}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [wanted]})
        # Colours in transition belong to neither.
        until(lambda: self.driver.execute_script("return document.getAnimations().length") == 0)

    def start_over(self) -> None:
        """Log out, and forget the console's messages."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.complaints()

    def log_in(self, user: User) -> None:
        """Log in by a session cookie. The login page has tests of its own."""
        client = Client()
        client.force_login(user)
        for name, cookie in client.cookies.items():
            wanted = {"name": name, "value": cookie.value, "url": self.address}
            self.driver.execute_cdp_cmd("Network.setCookie", wanted)

    def open(self, path: str) -> None:
        self.driver.get(f"{self.address}{path}")

    def open_after(self, script: str, path: str) -> None:
        """Run a script in the new page before the page's own."""
        added = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        self.open(path)
        self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    def reload(self) -> None:
        self.driver.refresh()

    @property
    def path(self) -> str:
        return urlsplit(self.driver.current_url).path

    @property
    def text(self) -> str:
        return str(self.driver.execute_script("return document.body?.innerText ?? ''"))

    def shows(self, text: str) -> None:
        """Wait until the page shows this text."""
        until(_whatever_loads(lambda: text in self.text))

    def control(self, name: str) -> WebElement:
        """Return a link or a button, by its text or its label."""
        return self._found(FIND_CONTROL, name)

    def has(self, name: str) -> bool:
        return self.driver.execute_script(FIND_CONTROL, name) is not None

    def field(self, label: str) -> WebElement:
        return self._found(FIND_FIELD, label)

    def click(self, name: str) -> None:
        def is_clicked() -> bool:
            self.control(name).click()
            return True

        # Find the element again if it is redrawn before the click.
        until(_whatever_loads(is_clicked))

    def type(self, text: str, *, into: str) -> None:
        """Replace the field's value."""
        field = self.field(into)
        field.clear()
        field.send_keys(text)

    def press(self, *keys: str) -> None:
        self.keys_pressed += sum(map(len, keys))
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, name: str) -> None:
        """Move the focus there by keyboard, and check at each step that it is visible."""
        for _ in range(MOST_TABS):
            self.press(Keys.TAB)
            focus: Any = self.driver.execute_script(FOCUS)
            if focus["isBody"]:
                continue
            assert focus["isVisible"], f"the focus on “{focus['name']}” of {self.path} cannot be seen"
            if str(focus["name"]).startswith(name):
                return
        raise AssertionError(f"the keyboard does not reach “{name}” on {self.path}")

    def faults(self) -> list[str]:
        """Return what overflows, overlaps or is cut off on the current page."""
        return list(self.driver.execute_script(FAULTS))

    def barriers(self, impacts: Collection[str] = GRAVE) -> list[str]:
        """Return the accessibility faults of these impacts that axe-core finds."""
        self.driver.execute_script(AXE)
        results: Any = self.driver.execute_async_script(RUN_AXE, AXE_OPTIONS)
        assert "error" not in results, results
        return [
            f"{found['id']} ({found['impact']}): {node['html'][:240]} {node['failureSummary']}"
            for found in results["violations"]
            if found["impact"] in impacts
            for node in found["nodes"]
        ]

    def complaints(self) -> list[str]:
        """Return the warnings and errors of the console since the last call, failed requests included."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # untyped in Selenium
        return [json.dumps(entry) for entry in entries if entry["level"] != "INFO"]

    def all_complaints(self, number: int) -> list[str]:
        """Wait until there are this many."""
        said: list[str] = []

        def has_all_been_said() -> bool:
            said.extend(self.complaints())
            return len(said) >= number

        until(has_all_been_said)
        return said

    def forgive(self, words: str) -> None:
        """Check that the console has this message and no other."""
        said = self.complaints()
        assert len(said) == 1, said
        assert words in said[0], said

    def forgive_requests(self, *words: str) -> None:
        """Check that the console has no messages but failed requests with one of these statuses."""
        said = self.complaints()
        assert said
        assert not [complaint for complaint in said if not any(word in complaint for word in words)], said

    def _found(self, script: str, name: str) -> WebElement:
        found: list[WebElement] = []

        def find() -> bool:
            element = self.driver.execute_script(script, name)
            found.extend([element] if element is not None else [])
            return bool(found)

        until(_whatever_loads(find))
        return found[0]


def _whatever_loads(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Return False instead of raising while one page replaces another."""

    def is_met() -> bool:
        try:
            return condition()
        except (JavascriptException, StaleElementReferenceException):
            return False

    return is_met
