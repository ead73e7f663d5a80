"""Build the board: read all submissions, score and rank them, write the data of the page."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import numpy as np

from zoobench.board.board import Truth, read_truths, submission_folder, submission_names
from zoobench.board.details import details, rounded_number
from zoobench.board.entry import Entry, read_entry
from zoobench.board.standings import CHANCE, OVERALL, Standing, Standings, standings_of
from zoobench.board.submit import replace_folder
from zoobench.board.validate import check_reconstruction, require_same
from zoobench.board.verify import is_verified
from zoobench.evaluation.score import finite_or_none
from zoobench.results.files import RESULT
from zoobench.results.paper import PaperScore, paper_scores
from zoobench.results.stamps import BENCHMARK
from zoogen import ZooError
from zoogen.progress import progress_bar

RULES = "RULES.md"
PAPER = "Schürholt et al. 2021"
PAPER_METHODS = {
    "raw-weights": "weights",
    "weight-statistics": "statistics",
    "pca-linear": "projection",
    "pca-cosine": "projection",
    "pca-rbf": "projection",
    "umap": "manifold",
    "self-supervised": "self-supervised",
}
"""The rows of Tables 4, 5, 6 and 13, and the kind of each method."""


def build_board(root: Path, site: Path) -> dict[str, str]:
    """Write the data of the page; leave out submissions that are not valid.

    ``site/data`` gets ``board.json``, and the same as ``board.js`` for a page opened as a file.
    Each submission gets ``rows/{name}.js`` with the details of its row, and its results as
    ``results/{name}/{zoo}.json``. A host needs nothing but the folder ``site``.

    Returns:
        The reason for each submission left out, by name.

    Raises:
        ZooError: If the board has no zoo or the site cannot be written.
    """
    truths = read_truths(root)
    if not truths:
        raise ZooError(f"{root} has no zoo to rank on; add one with zoobench admit ZOO")
    entries, refused = read_entries(root, truths)
    entries, standings = scored(root, entries, truths, refused)
    rows = [row(root, entry, place, standings) for place, entry in enumerate(entries)]
    board = {
        "benchmark": BENCHMARK,
        "rules": (root / RULES).is_file(),
        "zoos": [zoo_entry(truth) for truth in truths.values()],
        "rows": rows + paper_rows(truths, chances(entries, standings)),
    }
    write_data(root, site / "data", board, entries, truths)
    return refused


def read_entries(root: Path, truths: Mapping[str, Truth]) -> tuple[list[Entry], dict[str, str]]:
    """Read all submissions; return the readable ones, and why the others are not."""
    names, entries, refused = submission_names(root), [], {}
    with progress_bar("submissions", things="submissions", total=len(names), unit="read") as report:
        for name in names:
            try:
                entries.append(read_entry(submission_folder(root, name), name, truths))
            except ZooError as error:
                refused[name] = str(error)
            report(1)
    return entries, refused


def scored(
    root: Path, entries: list[Entry], truths: Mapping[str, Truth], refused: dict[str, str]
) -> tuple[list[Entry], Standings]:
    """Score and rank entries; leave out those with false claims and rank the rest again."""
    standings = standings_of(entries, truths)
    honest = []
    for place, entry in enumerate(entries):
        try:
            check_claims(root, entry, place, standings, truths)
        except ZooError as error:
            refused[entry.submission.name] = str(error)
        else:
            honest.append(entry)
    if len(honest) < len(entries):
        standings = standings_of(honest, truths)
    return honest, standings


def check_claims(
    root: Path, entry: Entry, place: int, standings: Standings, truths: Mapping[str, Truth]
) -> None:
    """Check that the claimed scores and intervals follow from the predictions."""
    for zoo, on_zoo in entry.zoos.items():
        path = submission_folder(root, entry.submission.name) / zoo / RESULT
        check_reconstruction(path, on_zoo, truths[zoo])
        for task in on_zoo.result.tasks:
            found = standings.scores[f"{zoo}/{task.task}"]
            field = f"tasks.{task.task}"
            score = finite_or_none(found.values[place])
            require_same(path, f"{field}.scores", (task.mean,), (score,))
            bounds = tuple(map(finite_or_none, found.bounds[:, place]))
            require_same(path, f"{field}.interval", task.interval, bounds)


def zoo_entry(truth: Truth) -> dict[str, Any]:
    """Return the name, size and tasks of a zoo."""
    tasks = [
        {"id": task.id, "target": task.target, "metric": task.metric, "summary": task.summary}
        for task in truth.tasks.values()
    ]
    models = int(truth.labels["model"].nunique())
    return {"name": truth.stamp.name, "version": truth.stamp.version, "models": models,
            "snapshots": len(truth.labels), "tasks": tasks}  # fmt: skip


def row(root: Path, entry: Entry, place: int, standings: Standings) -> dict[str, Any]:
    """Return one submission as a row of the page."""
    by = entry.submission
    return {
        "name": by.name,
        "kind": "reference" if by.track == "reference" else "submission",
        "track": by.track,
        "method": by.method,
        "authors": list(by.authors),
        "code": by.code,
        "paper": by.paper,
        "licence": by.licence,
        "training_data": by.training_data,
        "description": by.description,
        "verified": is_verified(submission_folder(root, by.name), entry),
        "zoos": sorted(entry.zoos),
        "cells": {column: cell(found, place) for column, found in standings.scores.items()
                  if not np.isnan(found.values[place])},
        "mean_ranks": {column: cell(found, place) for column, found in standings.mean_ranks.items()
                       if not np.isnan(found.values[place])},
    }  # fmt: skip


def cell(found: Standing, place: int) -> dict[str, float | None]:
    """Return one score with its interval, and its rank if it has one."""
    low, high = found.bounds[:, place]
    written = {"s": found.values[place], "lo": low, "hi": high}
    shown = {key: rounded_number(value) for key, value in written.items()}
    placed = float("nan") if found.ranks is None else found.ranks[place]
    return shown if np.isnan(placed) else shown | {"r": int(placed)}


def chances(entries: Sequence[Entry], standings: Standings) -> dict[str, float]:
    """Return the scores of the chance row by column."""
    for place, entry in enumerate(entries):
        if (entry.submission.name, entry.submission.track) == (CHANCE, "reference"):
            return {
                column: float(found.values[place]) for column, found in standings.scores.items()
            }
    return {}


def paper_rows(truths: Mapping[str, Truth], chance: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the scores printed in the paper, on its own zoos, as rows without a rank."""
    return [
        {
            "name": name,
            "kind": "paper",
            "track": "paper",
            "method": method,
            "authors": [PAPER],
            "description": "As printed in the paper, measured on its authors' zoos.",
            "paper": "https://arxiv.org/abs/2110.15288",
            "cells": paper_cells(name, truths, chance),
            "mean_ranks": {},
        }
        for name, method in PAPER_METHODS.items()
    ]


def paper_cells(
    name: str, truths: Mapping[str, Truth], chance: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Return the paper's scores of one method, and their normalised means where none is missing."""
    cells: dict[str, dict[str, Any]] = {}
    means: list[PaperScore] = []
    for zoo, truth in truths.items():
        parts = []
        for task in truth.tasks:
            floor = chance.get(f"{zoo}/{task}", float("nan"))
            if (found := paper_scores().get((zoo, task, name))) is not None:
                cells[f"{zoo}/{task}"] = paper_cell(found)
                parts.append(replace(found, score=max((found.score - floor) / (1 - floor), 0.0)))
        if len(parts) == len(truth.tasks):
            means.append(paper_mean(parts))
            cells[zoo] = paper_cell(means[-1])
    if len(means) == len(truths):
        cells[OVERALL] = paper_cell(paper_mean(means))
    return {column: cell for column, cell in cells.items() if cell["s"] is not None}


def paper_mean(scores: Sequence[PaperScore]) -> PaperScore:
    """Average scores of the paper; the mean is sure if all of them are."""
    return PaperScore(
        score=float(np.mean([one.score for one in scores])), sure=all(one.sure for one in scores)
    )


def paper_cell(found: PaperScore) -> dict[str, Any]:
    """Return a score of the paper as a cell, without an interval or a rank."""
    return {"s": rounded_number(found.score), "sure": found.sure}


def write_data(
    root: Path,
    data: Path,
    board: Mapping[str, Any],
    entries: Sequence[Entry],
    truths: Mapping[str, Truth],
) -> None:
    """Write all files beside the old ones, then swap folders: readers see the old or the new."""
    staged = data.with_name(f".{data.name}.{os.getpid()}")
    try:
        (staged / "rows").mkdir(parents=True)
        for entry in entries:
            name = entry.submission.name
            call = f"zoobench.detail({json.dumps(name)}, "
            write_script(staged / "rows" / f"{name}.js", call, details(entry, truths))
            results = staged / "results" / name
            results.mkdir(parents=True)
            for zoo in entry.zoos:
                copyfile(submission_folder(root, name) / zoo / RESULT, results / f"{zoo}.json")
        if board["rules"]:
            copyfile(root / RULES, staged / "rules.txt")
        (staged / "board.json").write_text(dumped(board), encoding="utf-8")
        write_script(staged / "board.js", "zoobench.board(", board)
        replace_folder(staged, data)
    except OSError as error:
        raise ZooError(f"cannot write {data}: {error.strerror or error}") from error
    finally:
        rmtree(staged, ignore_errors=True)


def write_script(path: Path, call: str, value: Any) -> None:
    """Write a script that passes a value to a call: a page opened as a file cannot load JSON."""
    path.write_text(f"{call}{dumped(value)});\n", encoding="utf-8")


def dumped(value: Any) -> str:
    """Return a value as JSON that is also safe inside a script."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c")
