"""The system's Chromium, headless, with a temporary profile."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver  # selenium imports its drivers lazily, hence the quotes around types

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MISSING = "Chromium or its driver is not installed (Debian: apt install chromium chromium-driver)"
FLAGS = (
    "--headless",
    "--no-sandbox",  # the sandbox refuses root and many containers, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-device-scale-factor=1",
    "--force-prefers-reduced-motion",
    "--lang=en",
)


def is_installed() -> bool:
    return bool(PROGRAM and DRIVER)


@contextmanager
def running_chromium() -> "Iterator[webdriver.Chrome]":
    with tempfile.TemporaryDirectory(prefix="litevault-chromium-", ignore_cleanup_errors=True) as profile:
        service = webdriver.ChromeService(DRIVER, log_output=os.devnull)
        driver = webdriver.Chrome(options=_options(Path(profile)), service=service)
        try:
            yield driver
        finally:
            driver.quit()


def _options(profile: Path) -> "webdriver.ChromeOptions":
    options = webdriver.ChromeOptions()
    options.binary_location = PROGRAM or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options
