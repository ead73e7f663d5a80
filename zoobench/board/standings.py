"""Score and rank the entries of a board, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoobench.board.aggregate import (
    Column,
    Mask,
    Scores,
    among,
    interval,
    mean,
    mean_ranks,
    normalised,
    ranks,
    shifted,
)
from zoobench.board.board import Truth
from zoobench.board.entry import Entry
from zoobench.evaluation.score import comparable
from zoobench.results.bootstrap import resampled_tables
from zoobench.task.metrics import METRICS
from zoobench.task.tasks import Task

CHANCE = "chance"
OVERALL = "overall"
RANKED = ("weights", "forward", "supervised")
"""Tracks whose entries are ranked among themselves; reference rows have no rank."""
RESAMPLES = 1000
APART = 331
"""Shift of the resamples from one zoo to the next."""


@dataclass(frozen=True)
class Standing:
    """One column of the board: one value per entry, nan where missing.

    Attributes:
        values: Scores, or mean ranks.
        bounds: Low and high bounds of the 95 % interval over models.
        ranks: One plus the number of entries of the same track surely above; None for mean ranks.
    """

    values: Column
    bounds: np.ndarray
    ranks: Column | None = None


@dataclass(frozen=True)
class Standings:
    """Scores and ranks of a board.

    Attributes:
        scores: Scores by column: ``{zoo}/{task}``, ``{zoo}`` for its normalised mean, ``overall``.
        mean_ranks: Mean ranks by zoo, and ``overall``.
    """

    scores: dict[str, Standing] = field(default_factory=dict)
    mean_ranks: dict[str, Standing] = field(default_factory=dict)


def standings_of(entries: Sequence[Entry], truths: Mapping[str, Truth]) -> Standings:
    """Score and rank entries.

    A task counts by its score between chance and 1, a zoo by the mean over its tasks, the board by
    the mean over its zoos. An entry without a score in a task has no mean over that task.
    """
    found = {entry.submission.track for entry in entries}
    tracks = [
        np.array([entry.submission.track == track for entry in entries], dtype=bool)
        for track in RANKED
        if track in found
    ]
    standings = Standings()
    columns: list[Scores] = []
    zoos: list[Scores] = []
    for number, (name, truth) in enumerate(truths.items()):
        tasks = {task.id: task_scores(entries, truth, task) for task in truth.tasks.values()}
        for task, scores in tasks.items():
            standings.scores[f"{name}/{task}"] = standing(scores, tracks)
        of_zoo = mean([normalised(scores, chance(entries, scores)) for scores in tasks.values()])
        standings.scores[name] = standing(of_zoo, tracks)
        standings.mean_ranks[name] = mean_rank_standing(list(tasks.values()), tracks)
        apart = number * APART
        columns += [shifted(scores, apart) for scores in tasks.values()]
        zoos.append(shifted(of_zoo, apart))
    standings.scores[OVERALL] = standing(mean(zoos), tracks)
    standings.mean_ranks[OVERALL] = mean_rank_standing(columns, tracks)
    return standings


def task_scores(entries: Sequence[Entry], truth: Truth, task: Task) -> Scores:
    """Score every entry on one task, on the test split and on each resample."""
    zoo, rows = truth.stamp.name, truth.rows[task.id]
    values = np.full(len(entries), np.nan)
    resampled = np.full((len(entries), RESAMPLES), np.nan)
    there = [place for place, entry in enumerate(entries) if zoo in entry.zoos]
    predictions = [entries[place].zoos[zoo].predictions[task.id] for place in there]
    if there:
        targets, *tables = comparable(task.kind, rows[task.target], *predictions)
        metric = METRICS[task.metric]
        values[there] = [np.mean([metric(targets, row) for row in table]) for table in tables]
        models = rows["model"].to_numpy()
        resampled[there] = resampled_tables(
            task.metric, targets, tables, models, resamples=RESAMPLES
        )
    return Scores(values, resampled)


def chance(entries: Sequence[Entry], scores: Scores) -> float:
    """Return the score of the chance row, nan if the board has none."""
    places = [
        place
        for place, entry in enumerate(entries)
        if (entry.submission.name, entry.submission.track) == (CHANCE, "reference")
    ]
    return float(scores.values[places[0]]) if places else float("nan")


def standing(scores: Scores, tracks: Sequence[Mask]) -> Standing:
    """Rank the entries of each track, and compute intervals."""
    placed = np.full(len(scores.values), np.nan)
    for members in tracks:
        placed = np.where(members, ranks(among(scores, members)), placed)
    return Standing(scores.values, interval(scores.resampled), placed)


def mean_rank_standing(columns: Sequence[Scores], tracks: Sequence[Mask]) -> Standing:
    """Average the ranks within each track over columns."""
    values = np.full(len(columns[0].values), np.nan)
    bounds = np.full((2, len(values)), np.nan)
    for members in tracks:
        found = mean_ranks([among(scores, members) for scores in columns])
        values = np.where(members, found.values, values)
        bounds = np.where(members, interval(found.resampled), bounds)
    return Standing(values, bounds)
