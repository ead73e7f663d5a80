"""The page on a static host, and the page without data."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from threading import Thread
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, expect

from zoobench.board.page import build_board


@pytest.fixture
def address(whole_board: Path, bare_site: Path, tmp_path: Path) -> Iterator[str]:
    """Address of a static host on this machine that serves only the folder of a built page."""
    site = Path(copytree(bare_site, tmp_path / "site"))
    assert build_board(whole_board, site) == {}
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_static_host_of_the_folder_is_enough(browser: Browser, address: str):
    page = browser.new_page()
    complaints: list[str] = []
    urls: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: urls.append(request.url))
    page.goto(address)
    page.get_by_role("button", name="projection", exact=True).click()
    expect(page.locator("figure").first).to_be_visible()
    for link in page.locator("a[href]:not([href^=http]):not([href^='#']):visible").all():
        found = page.request.get(urljoin(address, link.get_attribute("href") or ""))
        assert found.ok, found.url
    assert len(page.locator("#rows a[href^=data]").all()) == 1
    assert all(url.startswith(address) for url in urls)
    assert complaints == []
    page.close()


def test_without_data_the_page_names_the_command(browser: Browser, bare_site: Path):
    page = browser.new_page()
    page.goto((bare_site / "index.html").as_uri())
    expect(page.locator("#status")).to_contain_text("zoobench leaderboard")
    page.close()
