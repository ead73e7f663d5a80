"""Predictions against true values across zoos, as in the paper's Figures 11 to 14."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from baselines.paper.reproduce import with_settings
from baselines.paper.table_types import Row
from baselines.paper.tables_elsewhere import TableElsewhere
from zoobench.evaluation.compare import predictions
from zoobench.report.text import percent
from zoobench.results.record import Record
from zoobench.results.store import find_result, label
from zoobench.task.pair import pair_name
from zoogen import is_at_hand, load_zoo
from zoogen.atomic import atomic_path
from zoogen.extras import extra_package
from zoogen.pictures import as_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, ABOVE = 2.9, 0.9
"""Side of a panel and height of the title, in inches."""

POINTS = 4000
"""Most snapshots drawn in a panel; more would hide each other."""

FEW = 300
"""Most dots that are drawn at full size and darkness."""

DOT, DIAGONAL = "#00436B", "#D06A00"


def draw_elsewhere(
    table: TableElsewhere, root: Path, settings: Mapping[str, str], path: Path
) -> Path | None:
    """Draw a panel per embedder and zoo from existing results.

    Args:
        table: A figure of the paper.
        root: Folder of all results.
        settings: Settings to change in every self-supervised row, see ``reproduce_elsewhere``.
        path: The PNG file to write.

    Returns:
        The file, or None if there are no results to draw.

    Raises:
        ZooError: If matplotlib is not installed or the file cannot be written.
        IntegrityError: If a file of predictions is not the one its result names.
    """
    extra_package("matplotlib", "a plot")
    there = [name for name in table.tested_on if is_at_hand(name)]
    rows = with_settings(table.rows, settings)
    found = {row.title: results_of(table, row, there, root) for row in rows}
    found = {title: row for title, row in found.items() if any(row)}
    if not found:
        return None
    picture = as_png(lambda: drawn(table, there, found, root))
    with atomic_path(path) as temporary:
        temporary.write_bytes(picture)
    return path


def results_of(
    table: TableElsewhere, row: Row, there: Sequence[str], root: Path
) -> list[Record | None]:
    """Return the result of one embedder on each zoo, None where a task is missing."""
    name, trained_on = label(row.embedder, row.settings), table.trained_on[0]
    found = [find_result(root, name, pair_name(trained_on, other), table.probe) for other in there]
    return [each if each and set(table.columns) <= set(each.by_task) else None for each in found]


def drawn(
    table: TableElsewhere,
    there: Sequence[str],
    found: Mapping[str, list[Record | None]],
    root: Path,
) -> "Figure":
    """Draw the panels, with zoos from left to right and embedders from top to bottom."""
    figure = new_figure(PANEL * len(there), PANEL * len(found) + ABOVE, table.title)
    figure.set_layout_engine("constrained")
    grid = figure.subplots(len(found), len(there), squeeze=False)
    for axes_row, (title, row) in zip(grid, found.items(), strict=True):
        for axes, name, result in zip(axes_row, there, row, strict=True):
            if result is None:
                axes.set_axis_off()
                continue
            panel(axes, table, root, result, name)
            axes.set_ylabel(f"{title}\npredicted" if axes is axes_row[0] else "")
    for axes in grid[-1]:
        axes.set_xlabel("true")
    return figure


def panel(axes: "Axes", table: TableElsewhere, root: Path, result: Record, name: str) -> None:
    """Draw the predictions of one embedder on one zoo, as the mean over seeds."""
    tau, r2 = (result.by_task[task] for task in table.columns)
    test = load_zoo(name).test.properties
    true = test[r2.target].dropna().to_numpy(np.float64)
    guessed = predictions(root, result, r2).mean(axis=0)
    chosen = np.random.default_rng(0).permutation(len(true))[:POINTS]
    space = min(1, FEW / len(chosen))
    size, alpha = 4 + 12 * space, 0.2 + 0.6 * space
    axes.scatter(true[chosen], guessed[chosen], s=size, color=DOT, alpha=alpha, linewidths=0)
    ends = (true.min(), true.max())
    axes.plot(ends, ends, color=DIAGONAL, linewidth=1)
    axes.set_title(f"{name}\nτ-b {percent(tau.mean)}, R² {percent(r2.mean)}")
