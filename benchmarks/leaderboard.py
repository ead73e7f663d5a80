"""Building a board of five hundred submissions, and sorting its page in Chromium."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree, which
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.ratio import Ratio
from zoobench.board.board import Truth, read_truth, submission_folder
from zoobench.board.page import build_board, write_script
from zoobench.board.submission import read_submission, write_submission
from zoobench.board.submit import rounded
from zoobench.evaluation.score import scores_of
from zoobench.results.files import read_result, write_result, write_table
from zoobench.results.record import Record, TaskResult

CLAIM = (
    "Read, check, score, rank and write a board of 500 submissions to tetris-seed, made of the "
    "true labels and noise; then sort its page with 500 rows and 40 columns in Chromium, from the "
    "click to the next frame. The peers are budgets of 10 s and 0.1 s."
)
BOARD = Path(__file__).parents[1] / "leaderboard"
SUBMISSIONS, COLUMNS = 500, 40
ZOO, MODEL = "tetris-seed", "raw-weights"
SORT = """async () => {
  const times = [];
  for (const button of [...document.querySelectorAll('thead th.score button')].slice(0, 9)) {
    const begin = performance.now();
    button.click();
    document.body.offsetHeight;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - begin);
  }
  return times;
}"""


def measure() -> list[Ratio]:
    """Build once; sort nine times and take the median."""
    with tempfile.TemporaryDirectory() as place:
        board = Path(place, "leaderboard")
        copytree(BOARD / "zoos" / ZOO, board / "zoos" / ZOO)
        copytree(BOARD / "site", board / "site")
        submit_noise(board)
        begin = perf_counter()
        refused = build_board(board, board / "site")
        building = perf_counter() - begin
        if refused:
            raise RuntimeError(f"the board refused submissions: {refused}")
        sorting = sort_seconds(board / "site")
    return [
        Ratio(name="building the board, against 10 s", ours=building, peer=10, required=1),
        Ratio(name="sorting the page, against 0.1 s", ours=sorting, peer=0.1, required=1),
    ]


def submit_noise(board: Path) -> None:
    """Write submissions of the true labels plus noise, each with more noise than the one before."""
    model = submission_folder(BOARD, MODEL)
    about, result = read_submission(model / "submission.toml"), read_result(model / ZOO)
    truth = read_truth(board, ZOO)
    draws = np.random.default_rng(0)
    for number in range(SUBMISSIONS):
        name = f"noise-{number}"
        folder = submission_folder(board, name)
        write_submission(folder / "submission.toml", replace(about, name=name))
        tasks = tuple(
            noisy(folder / ZOO, truth, task, share=0.2 + number / SUBMISSIONS, draws=draws)
            for task in result.tasks
        )
        write_result(folder / ZOO, renamed(result, name, tasks))


def renamed(result: Record, name: str, tasks: tuple[TaskResult, ...]) -> Record:
    """Give a result another embedder's name and scores."""
    return replace(result, embedder=replace(result.embedder, name=name), tasks=tasks)


def noisy(
    folder: Path, truth: Truth, given: TaskResult, *, share: float, draws: np.random.Generator
) -> TaskResult:
    """Write predictions of one task with noise of a share of the targets' spread."""
    task = truth.tasks[given.task]
    rows = truth.rows[task.id]
    targets = rows[task.target].to_numpy(np.float64)
    noise = draws.normal(size=(1, len(targets))) * targets.std() * share
    values = rounded((targets + noise).astype(np.float32), targets)
    scores, interval = scores_of(task, rows, values)
    table = pd.DataFrame({"model": rows["model"], "epoch": rows["epoch"], "seed_0": values[0]})
    digest = write_table(folder, task.id, table, compression="zstd")
    return replace(given, scores=scores, interval=interval, predictions_sha256=digest)


def wide_board(rows: int) -> dict[str, Any]:
    """Make a board whose widest view has forty columns of scores, none missing."""
    draws = np.random.default_rng(0)
    tasks = [
        {"id": f"task{number}", "target": "epoch", "metric": "r2", "summary": "a task"}
        for number in range(18)
    ]
    zoos: list[dict[str, Any]] = [
        {"name": f"zoo-{z}", "version": 1, "models": 150, "snapshots": 11250, "tasks": tasks}
        for z in range(2)
    ]
    keys = ["overall", *(zoo["name"] for zoo in zoos)]
    keys += [f"{zoo['name']}/{task['id']}" for zoo in zoos for task in tasks]
    return {
        "benchmark": "0.1",
        "zoos": zoos,
        "rows": [synthetic_row(n, keys, draws) for n in range(rows)],
    }


def synthetic_row(number: int, keys: list[str], draws: np.random.Generator) -> dict[str, Any]:
    """Make one row of the board."""
    scores = draws.uniform(size=len(keys)).round(3).tolist()
    cells = {
        key: {"s": score, "lo": score - 0.02, "hi": score + 0.02, "r": number + 1}
        for key, score in zip(keys, scores, strict=True)
    }
    return {
        "name": f"noise-{number}", "kind": "submission", "track": "weights", "method": "other",
        "authors": ["nobody"], "code": "https://example.org", "paper": None, "licence": "none",
        "training_data": "none", "description": "noise", "verified": False, "zoos": [],
        "cells": cells, "mean_ranks": {"overall": {"s": number + 1.0, "lo": 1.0, "hi": 9.0}},
    }  # fmt: skip


def sort_seconds(site: Path) -> float:
    """Sort the page by one column after another; return the median time."""
    write_script(site / "data" / "board.js", "zoobench.board(", wide_board(SUBMISSIONS))
    with opened(site) as page:
        page.select_option("#task", "*")
        columns = page.locator("thead th").count()
        rows = int(page.get_attribute("#table", "aria-rowcount")) - 1
        if (rows, columns) != (SUBMISSIONS, 3 + COLUMNS):
            raise RuntimeError(
                f"{rows} rows and {columns} columns; expected {SUBMISSIONS} and {3 + COLUMNS}"
            )
        times = page.evaluate(SORT)
    return float(np.median(times)) / 1000


@contextmanager
def opened(site: Path) -> Iterator[Any]:
    """Open the page in Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    if (chromium := which("chromium")) is None:
        raise RuntimeError("no chromium on the path; run: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto((site / "index.html").as_uri())
        page.wait_for_selector("#rows tr")
        yield page
        browser.close()
