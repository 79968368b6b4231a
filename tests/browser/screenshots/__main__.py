"""`make screenshots`: a day of work in the real program, and the pictures of it that the docs show."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import oxipng

from tests.browser.chromium import MISSING, is_installed, running_chromium
from tests.soak.__main__ import django_at
from tests.soak.server import PROJECT, own_server

if TYPE_CHECKING:
    from tests.browser.browser import Browser

IMAGES = PROJECT / "docs" / "images"
LISTENER = ("-m", "tests.browser.screenshots.listener", "--concurrency", "2", "--worker-id", "worker-1")


def main() -> int:
    if not is_installed():
        print(f"No screenshots: {MISSING}.", file=sys.stderr)
        return 1
    with own_server() as server, tempfile.TemporaryDirectory() as logs:
        django_at(server.url)
        from tests.browser.browser import Browser  # needs the settings made above
        from tests.browser.screenshots.day import Day
        from tests.browser.site import running_site

        with running_site(Path(logs), listener=LISTENER, LITEVAULT_ENRICH_MAX_ATTEMPTS="1") as site:
            day = Day()
            day.pass_by()
            with running_chromium() as driver:
                browser = Browser(driver, site.address)
                browser.log_in(day.admin)
                take(browser, "admin", first_page, width=1240, height=1060)
                take(browser, "failed", failed_by_reason, width=1366, height=900)
                browser.log_in(day.owners[0])
                take(browser, "pending", pending, width=1000, height=950)
                take(browser, "item", ready_item, width=1240, height=820)
    return 0


def take(browser: "Browser", name: str, visit: Callable[["Browser"], None], *, width: int, height: int) -> None:
    browser.resize(width, height)
    browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    visit(browser)
    browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": 0, "y": 0})
    picture = oxipng.optimize_from_memory(browser.driver.get_screenshot_as_png(), level=6)
    path = IMAGES / f"{name}.png"
    path.write_bytes(picture)
    print(f"{path.relative_to(PROJECT)}: {len(picture) / 1000:.0f} kB")


def first_page(browser: "Browser") -> None:
    browser.open("/admin/")
    browser.shows("Known cost of each hour of the last day")


def failed_by_reason(browser: "Browser") -> None:
    browser.open("/admin/items/item/?status=FAILED")


def pending(browser: "Browser") -> None:
    browser.open("/api/v1/items/pending")


def ready_item(browser: "Browser") -> None:
    browser.open("/api/v1/items/pending?status=READY_TO_CONFIRM")
    browser.click("Why index-only scans stopped")
    browser.shows("Check and confirm")


if __name__ == "__main__":
    sys.exit(main())
