"""The page in a real browser: sorting, filtering, details, safe text, no requests outside."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from playwright.sync_api import Browser, Page, expect

from zoobench.board.page import build_board, write_script

HOSTILE = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"

GROUND_AND_INK = """() => {
  const style = getComputedStyle(document.body);
  const numbers = (colour) => colour.match(/\\d+/g).slice(0, 3).map(Number);
  return [style.backgroundColor, style.color].map((of) => numbers(of).reduce((a, b) => a + b));
}"""


NUMBER_CONTROLS = """() => {
  const all = [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex]")];
  const seen = all.filter((each) => each.checkVisibility() && each.offsetParent !== null);
  seen.forEach((each, number) => (each.dataset.control = number));
  window.controls = seen.length;
}"""


@pytest.fixture(scope="module")
def site(whole_board: Path, bare_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built page, with one row that validation would refuse."""
    place = Path(copytree(bare_site, tmp_path_factory.mktemp("built") / "site"))
    assert build_board(whole_board, place) == {}
    board = json.loads((place / "data/board.json").read_text())
    (model,) = (row for row in board["rows"] if row["name"] == "statistics")
    hostile = {"name": HOSTILE, "authors": [HOSTILE], "description": HOSTILE}
    board["rows"].append(model | hostile | {"code": "javascript:alert(1)"})
    write_script(place / "data/board.js", "zoobench.board(", board)
    return place


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    """The page; the test fails if it logs anything or requests anything outside its folder."""
    opened = browser.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto((site / "index.html").as_uri())
    expect(opened.locator("#rows tr").first).to_be_visible()
    yield opened
    assert complaints == []
    assert requests
    assert all(url.startswith(f"{site.as_uri()}/") for url in requests), requests
    opened.close()


def names(page: Page) -> list[str]:
    return page.locator("#rows th[scope=row] button").all_inner_texts()


def column(page: Page, key: str) -> list[str]:
    heads = page.locator("thead th").evaluate_all("all => all.map((head) => head.dataset.key)")
    return page.locator(f"#rows tr > :nth-child({heads.index(key) + 1})").all_inner_texts()


def test_a_heading_sorts_both_ways_and_keeps_missing_scores_last(page: Page):
    page.select_option("#zoo", "tetris-hyp")
    head = page.locator("thead th[data-key='tetris-hyp/eph']")
    for direction in ("descending", "ascending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        shown = column(page, "tetris-hyp/eph")
        numbers = [float(text.rstrip("?")) for text in shown if text != "–"]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert shown[: len(numbers)] == [text for text in shown if text != "–"]
        assert len(numbers) > 3
    assert page.locator("thead th[aria-sort]:not([aria-sort=none])").count() == 1


def test_filters_leave_matching_rows(page: Page):
    everything = names(page)
    page.select_option("#zoo", "mixed")
    assert "projection" not in names(page)
    page.select_option("#zoo", "")
    page.select_option("#task", "eph")
    assert page.locator("thead th.score").count() == 2
    page.select_option("#task", "")
    page.select_option("#method", "statistics")
    assert set(column(page, "method")) == {"statistics"}
    page.select_option("#method", "")
    page.uncheck("#papers")
    page.uncheck("#references")
    assert set(names(page)) == {"statistics", "projection", HOSTILE}
    page.fill("#find", "proj")
    assert names(page) == ["projection"]
    page.fill("#find", "nobody has this name")
    expect(page.locator("#empty")).to_be_visible()
    page.fill("#find", "")
    page.check("#papers")
    page.check("#references")
    assert names(page) == everything


def test_a_row_opens_its_details_and_closes_them(page: Page):
    button = page.get_by_role("button", name="projection", exact=True)
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    details = page.locator(f"#{button.get_attribute('aria-controls')}")
    expect(details.locator("figure").first).to_be_visible()
    text = details.inner_text()
    assert "zoobench evaluate random-projection --zoo tetris-hyp --seeds 2" in text
    assert "dim = " in details.locator("pre").text_content()  # type: ignore[operator]
    assert details.locator("circle").count() > 50
    assert details.locator("table.confusion").count() == 2  # activation and initialiser
    button.click()
    assert button.get_attribute("aria-expanded") == "false"
    assert details.count() == 0


def test_details_show_the_scores_of_every_seed_and_the_tasks_explain_themselves(page: Page):
    button = page.get_by_role("button", name="projection", exact=True)
    button.click()
    first = page.locator("figure", has_text="eph").first
    expect(first).to_contain_text("by seed: ")
    page.locator("#tasks summary").click()
    expect(page.locator("#tasks")).to_contain_text("how long the network was trained")


def test_an_open_row_stays_open_and_has_an_address(page: Page, site: Path):
    page.get_by_role("button", name="projection", exact=True).click()
    assert page.url.endswith("#row=projection")
    page.select_option("#zoo", "tetris-hyp")
    expect(page.locator("#rows tr.details figure").first).to_be_visible()
    page.goto("about:blank")
    page.goto(f"{(site / 'index.html').as_uri()}#row=projection")
    button = page.get_by_role("button", name="projection", exact=True)
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    assert page.locator("#rows tr.details").count() == 0
    assert "projection" not in page.url


def test_another_zoo_is_sorted_by_its_own_mean_and_all_by_the_overall_score(page: Page):
    sorted_by = page.locator("thead th[aria-sort=descending]")
    page.select_option("#zoo", "mixed")
    assert sorted_by.get_attribute("data-key") == "mixed"
    page.select_option("#zoo", "")
    assert sorted_by.get_attribute("data-key") == "overall"


def test_a_hostile_name_is_shown_as_text(page: Page):
    button = page.get_by_role("button", name=HOSTILE, exact=True)
    assert button.inner_text() == HOSTILE
    assert page.title() == "zoobench leaderboard"
    assert page.locator("#rows img, #rows script").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_the_keyboard_reaches_headings_rows_and_filters(page: Page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("thead th[data-key=name] button").focus()
    page.keyboard.press("Enter")
    assert page.locator("thead th[data-key=name]").get_attribute("aria-sort") == "ascending"
    first = page.locator("#rows th[scope=row] button").first
    first.focus()
    page.keyboard.press("Space")
    assert first.get_attribute("aria-expanded") == "true"
    assert page.locator("#standings").get_attribute("tabindex") == "0"


def test_tab_reaches_every_control(page: Page):
    page.get_by_role("button", name="projection", exact=True).click()
    expect(page.locator("figure").first).to_be_visible()
    page.evaluate(NUMBER_CONTROLS)
    page.evaluate("document.activeElement.blur()")
    reached = set()
    page.locator("a.skip").focus()
    for _ in range(int(page.evaluate("controls")) + 5):
        reached.add(page.evaluate("document.activeElement.dataset.control"))
        page.keyboard.press("Tab")
    assert {str(number) for number in range(page.evaluate("controls"))} <= reached


def test_a_score_is_read_out_with_its_interval(page: Page):
    cell = page.locator("#rows tr.submission td.score").first
    assert re.fullmatch(
        r"[\d.]+, 95 % interval [\d.]+ to [\d.]+, rank 1", cell.get_attribute("aria-label") or ""
    )


def test_a_mean_rank_shows_its_interval(page: Page):
    shown = page.locator("#rows tr.submission td.mean-rank:has(.range)").first.inner_text()
    mean, low, high = map(float, re.findall(r"[\d.]+", shown))
    assert low <= mean <= high


def test_the_table_has_a_caption_and_names_for_its_controls(page: Page):
    assert "All zoos" in page.locator("#caption").inner_text()
    for control in page.locator("select, input").all():
        assert control.evaluate("control => control.labels.length") == 1
    assert page.locator("thead th:not([scope=col])").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window_in_both_schemes(
    browser: Browser, site: Path, width: int, scheme: str
):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.locator("#rows button").first.click()
    caption = page.locator("#caption").bounding_box()
    assert caption is not None
    assert caption["x"] + caption["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground, ink = page.evaluate(GROUND_AND_INK)
    assert (ground > ink) == (scheme == "light")
    context.close()


def test_many_rows_appear_on_scrolling_and_are_all_sorted(
    browser: Browser, site: Path, tmp_path: Path
):
    place = Path(copytree(site, tmp_path / "site"))
    board = json.loads((place / "data/board.json").read_text())
    (model,) = (row for row in board["rows"] if row["name"] == "statistics")
    cells = [{"s": n / 200, "lo": 0.0, "hi": 1.0, "r": 1} for n in range(200)]
    board["rows"] = [
        model | {"name": f"row-{n}", "cells": {"overall": cell}} for n, cell in enumerate(cells)
    ]
    write_script(place / "data/board.js", "zoobench.board(", board)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((place / "index.html").as_uri())
    assert page.locator("#table").get_attribute("aria-rowcount") == "201"
    assert names(page)[0] == "row-199"
    few = len(names(page))
    assert few < 200
    page.locator("thead th[data-key=overall] button").click()
    assert names(page)[0] == "row-0"
    for _ in range(40):
        page.locator("#standings").evaluate("box => box.scrollTo(0, box.scrollHeight)")
        page.wait_for_timeout(50)
        if len(names(page)) == 200:
            break
    assert len(set(names(page))) == 200
    page.close()
