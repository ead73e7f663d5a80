"""Predicted against true, across zoos, as the paper's Figures 11 to 14 show it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from baselines.paper.reproduce import with_settings
from baselines.paper.tables import Row
from baselines.paper.tables_elsewhere import OodTable
from zoobench.evaluation.compare import predictions
from zoobench.report.results import percent
from zoobench.results.results import Result
from zoobench.results.store import find_result, label
from zoobench.task.pair import pair_name
from zoogen import as_png, atomic_path, extra_package, is_at_hand, load_zoo, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, ABOVE = 2.9, 0.9
"""Inches of a panel, and of the title above all of them."""

POINTS = 4000
"""Snapshots drawn in a panel; more lie on top of each other."""

FEW = 300
"""Up to so many, dots are as large and dark as they get."""

DOT, DIAGONAL = "#00436B", "#D06A00"


def draw_elsewhere(
    table: OodTable, root: Path, settings: Mapping[str, str], path: Path
) -> Path | None:
    """Draw a panel per embedder and zoo from results that are already there.

    Args:
        table: A figure of the paper.
        root: Folder of all results.
        settings: Changed in every self-supervised row, as for ``reproduce_ood``.
        path: The PNG file to write.

    Returns:
        The file, or None if there is nothing to draw.

    Raises:
        ZooError: If matplotlib is not installed or the file cannot be written.
        IntegrityError: If predictions are not the ones their result names.
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


def results_of(table: OodTable, row: Row, there: Sequence[str], root: Path) -> list[Result | None]:
    """Find the results of one embedder on each zoo."""
    name, trained_on = label(row.embedder, row.settings), table.trained_on[0]
    found = [find_result(root, name, pair_name(trained_on, other), table.probe) for other in there]
    return [each if each and set(table.columns) <= set(each.by_task) else None for each in found]


def drawn(
    table: OodTable, there: Sequence[str], found: Mapping[str, list[Result | None]], root: Path
) -> "Figure":
    """Lay out the panels: zoos from left to right, embedders from top to bottom."""
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


def panel(axes: "Axes", table: OodTable, root: Path, result: Result, name: str) -> None:
    """Draw the predictions of one embedder on one zoo, averaged over seeds."""
    tau, r2 = (result.by_task[task] for task in table.columns)
    test = load_zoo(name).test.properties
    true = test[r2.target].dropna().to_numpy(np.float64)
    guessed = predictions(root, result, r2).mean(axis=0)
    chosen = np.random.default_rng(0).permutation(len(true))[:POINTS]
    alone = min(1, FEW / len(chosen))
    size, alpha = 4 + 12 * alone, 0.2 + 0.6 * alone
    axes.scatter(true[chosen], guessed[chosen], s=size, color=DOT, alpha=alpha, linewidths=0)
    ends = (true.min(), true.max())
    axes.plot(ends, ends, color=DIAGONAL, linewidth=1)
    axes.set_title(f"{name}\nτ-b {percent(tau.mean)}, R² {percent(r2.mean)}")
