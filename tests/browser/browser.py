"""What a person does in a browser: open, read, type, press. Nothing here knows how a page is built."""

import json
from collections.abc import Callable
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
# WCAG 2.2's size of targets is off unless it is asked for.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}
GRAVE = ("serious", "critical")
MOST_TABS = 80
NARROW = 600

FIND_CONTROL = """
const [name] = arguments;
const spoken = (e) => (e.innerText || e.value || e.getAttribute('aria-label') || '').trim();
return [...document.querySelectorAll('a[href], button, summary, input[type=submit], [role=button]')]
  .filter((e) => e.checkVisibility({visibilityProperty: true}))
  .find((e) => spoken(e) === name || e.getAttribute('aria-label') === name);
"""
FIND_FIELD = """
const [label] = arguments;
const labels = (e) => [...(e.labels || [])].map((l) => l.innerText).concat(e.getAttribute('aria-label') || '');
return [...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
  .filter((e) => e.checkVisibility({visibilityProperty: true}))
  .find((e) => labels(e).some((text) => text.trim().startsWith(label)));
"""
# Where the keyboard is, and whether a person sees that.
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
        self.resize(1440, 900)
        self.theme("light")

    def resize(self, width: int, height: int) -> None:
        """A narrow window is a telephone's."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < NARROW}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, name: str) -> None:
        """Light or dark, as the system says."""
        wanted = {"name": "prefers-color-scheme", "value": name}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [wanted]})
        # Colours that are on their way from one to the other are neither's.
        until(lambda: self.driver.execute_script("return document.getAnimations().length") == 0)

    def start_over(self) -> None:
        """Nobody is logged in, and nothing has been said."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.complaints()

    def log_in(self, user: User) -> None:
        """As after a login, whose page has tests of its own."""
        client = Client()
        client.force_login(user)
        for name, cookie in client.cookies.items():
            wanted = {"name": name, "value": cookie.value, "url": self.address}
            self.driver.execute_cdp_cmd("Network.setCookie", wanted)

    def open(self, path: str) -> None:
        self.driver.get(f"{self.address}{path}")

    def reload(self) -> None:
        self.driver.refresh()

    @property
    def path(self) -> str:
        return urlsplit(self.driver.current_url).path

    @property
    def text(self) -> str:
        return str(self.driver.execute_script("return document.body?.innerText ?? ''"))

    def shows(self, text: str) -> None:
        """Wait until the page says it."""
        until(_whatever_loads(lambda: text in self.text))

    def control(self, name: str) -> WebElement:
        """A link or a button, by what it says or is called."""
        return self._found(FIND_CONTROL, name)

    def has(self, name: str) -> bool:
        return self.driver.execute_script(FIND_CONTROL, name) is not None

    def field(self, label: str) -> WebElement:
        return self._found(FIND_FIELD, label)

    def click(self, name: str) -> None:
        def is_clicked() -> bool:
            self.control(name).click()
            return True

        # What is drawn anew between the look and the click is looked for again.
        until(_whatever_loads(is_clicked))

    def type(self, text: str, *, into: str) -> None:
        """In place of what the field says now."""
        field = self.field(into)
        field.clear()
        field.send_keys(text)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, name: str) -> None:
        """Go there by keyboard, and see at every step where it is."""
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
        """What does not fit, overlaps or is cut off on the page as it is now."""
        return list(self.driver.execute_script(FAULTS))

    def barriers(self) -> list[str]:
        """What axe-core finds to be a serious or critical hurdle for people with disabilities."""
        self.driver.execute_script(AXE)
        results: Any = self.driver.execute_async_script(RUN_AXE, AXE_OPTIONS)
        assert "error" not in results, results
        return [
            f"{found['id']} ({found['impact']}): {node['html'][:240]} {node['failureSummary']}"
            for found in results["violations"]
            if found["impact"] in GRAVE
            for node in found["nodes"]
        ]

    def complaints(self) -> list[str]:
        """What the console has said since this was last asked. Requests that failed are among it."""
        return [json.dumps(entry) for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]  # untyped in Selenium

    def all_complaints(self, number: int) -> list[str]:
        """Wait until there are so many."""
        said: list[str] = []

        def has_all_been_said() -> bool:
            said.extend(self.complaints())
            return len(said) >= number

        until(has_all_been_said)
        return said

    def forgive(self, words: str) -> None:
        """The console had to say this, and nothing else."""
        said = self.complaints()
        assert len(said) == 1, said
        assert words in said[0], said

    def forgive_requests(self, *words: str) -> None:
        """The console had to say, as often as it liked, that requests failed with one of these, and nothing else."""
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
    """False, rather than an error, while one page goes and the next one comes."""

    def is_met() -> bool:
        try:
            return condition()
        except (JavascriptException, StaleElementReferenceException):
            return False

    return is_met
