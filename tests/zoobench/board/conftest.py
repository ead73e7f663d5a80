"""A browser, and the page of the board without data."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, which

import pytest
from playwright.sync_api import Browser, sync_playwright

SITE = Path(__file__).parents[3] / "leaderboard" / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; its tests are skipped without it, except in CI."""
    chromium = which("chromium")
    if chromium is None and os.environ.get("CI") != "true":
        pytest.skip("no chromium on the path: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the page without data."""
    place = tmp_path_factory.mktemp("page") / "site"
    return Path(copytree(SITE, place, ignore=lambda *_: ["data"]))
