"""The three figures of a zoo, drawn by matplotlib without opening a window."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
from jaxtyping import Float

from zoogen.pictures import new_figure
from zoogen.plots.colouring import paint_names, paint_numbers, tick_places
from zoogen.spec.axes import Range
from zoogen.spec.configs import SCALED
from zoogen.spec.imported import AnySpec
from zoogen.spec.zoo_spec import Activation, Initialiser, Optimiser

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCURACY_SIZE = (10.0, 5.2)
MEAN_WEIGHT_SIZE = (7.5, 6.0)

PANEL, ALONE = 3.5, 5.6
ABOVE, NAMES_BELOW, SCALE_BELOW, MARGIN, GAP, BAR = 1.0, 1.2, 0.8, 0.3, 0.08, 0.16
"""Inches of the UMAP figure: above a panel, below it with a legend of names or a scale, between
two panels, from a panel to its key, height of the key."""

NAMES = {
    "activation": get_args(Activation),
    "initialiser": get_args(Initialiser),
    "optimiser": get_args(Optimiser),
}
"""All possible names, so that each has one colour in the plots of every zoo."""

BOX, LINE, DOT = "#9CC3DE", "#00436B", "#808080"
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
EPOCH_LABELS = 25
FAR = 50
"""Longest linear scale, in distances between the quartiles."""


def accuracy_quantiles(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the ``QUANTILES`` of the test accuracy, one row per epoch."""
    return rows.groupby("epoch")["test_accuracy"].quantile(np.array(QUANTILES)).unstack()


def accuracy_figure(rows: "pd.DataFrame", title: str) -> "Figure":
    """Draw a box of the test accuracies at each stored epoch, boxes evenly spaced."""
    quantiles = accuracy_quantiles(rows)
    boxes = [
        {"whislo": low, "q1": q1, "med": median, "q3": q3, "whishi": high, "fliers": [least, most]}
        for least, low, q1, median, q3, high, most in quantiles.to_numpy()
    ]
    meaning = "boxes: quartiles, whiskers: 5 % to 95 %, dots: least and greatest"
    figure = new_figure(*ACCURACY_SIZE, f"{title}\n{meaning}")
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    axes.bxp(
        boxes,
        positions=range(len(boxes)),
        widths=0.7,
        showcaps=False,
        patch_artist=True,
        boxprops={"facecolor": BOX, "edgecolor": LINE, "linewidth": 0.6},
        medianprops={"color": LINE, "linewidth": 2},
        whiskerprops={"color": LINE, "linewidth": 1},
        flierprops={
            "marker": ".",
            "markerfacecolor": DOT,
            "markeredgecolor": DOT,
            "markersize": 3,
        },
    )
    at = tick_places(list(quantiles.index), EPOCH_LABELS)
    axes.set_xticks(at, labels=[str(quantiles.index[place]) for place in at])
    axes.set_xlim(-0.8, len(boxes) - 0.2)
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="epoch", ylabel="test accuracy")
    return figure


def mean_weight_figure(
    rows: "pd.DataFrame", means: Float[np.ndarray, " snapshots"], spec: AnySpec, title: str
) -> "Figure":
    """Draw the test accuracy of each snapshot against its mean weight, coloured by epoch."""
    order = np.random.default_rng(0).permutation(len(rows))  # or the last models hide the first
    points = np.column_stack([means, rows["test_accuracy"]])[order]
    epochs = rows["epoch"].to_numpy(dtype=float)[order]
    figure = new_figure(*MEAN_WEIGHT_SIZE, title)
    figure.set_layout_engine("constrained")
    axes, key = figure.subplots(1, 2, width_ratios=(30, 1))
    paint_numbers(axes, key, points, epochs, spec.stored_epochs)
    axes.set(xlabel="mean weight", ylabel="test accuracy")
    key.set_ylabel("epoch")
    linear = linear_up_to(means)
    if linear is not None:
        axes.set_xscale("symlog", linthresh=linear)
        axes.set_xlabel(f"mean weight, logarithmic beyond ±{linear:g}")
    return figure


def linear_up_to(means: Float[np.ndarray, " snapshots"]) -> float | None:
    """Return where a logarithmic scale must begin because a few means dwarf all others.

    Returns:
        A power of ten, or None if a linear scale shows all means.
    """
    low, high = np.quantile(means, (0.25, 0.75))
    if np.ptp(means) <= FAR * (high - low):
        return None
    return float(10 ** np.ceil(np.log10(max(high - low, np.abs(means).max() / FAR**2))))


def coloured_by(rows: "pd.DataFrame", spec: AnySpec) -> list[str]:
    """Return the columns to colour by: the axes that vary among the snapshots, and the epoch."""
    return [*(axis for axis in spec.varied if rows[axis].nunique() > 1), "epoch"]


def umap_figure(
    rows: "pd.DataFrame",
    places: Float[np.ndarray, "snapshots 2"],
    spec: AnySpec,
    title: str,
    also: Sequence[str] = (),
) -> "Figure":
    """Draw the UMAP layout of snapshots: a panel for each axis that varies, then for the epoch.

    Args:
        rows: Properties of the snapshots.
        places: Coordinates of the snapshots.
        spec: Spec of their zoo.
        title: Title of the figure.
        also: Measured properties to colour by, in a panel each at the end.
    """
    colourings = [*coloured_by(rows, spec), *also]
    figure, panels = panel_grid(colourings, title)
    for axis, (panel, key) in zip(colourings, panels, strict=True):
        paint_panel(panel, key, places, rows, axis, spec)
    return figure


def panel_grid(colourings: Sequence[str], title: str) -> "tuple[Figure, list[tuple[Axes, Axes]]]":
    """Return a figure of equal panels, and the axes of each panel and of its key."""
    count = len(colourings)
    columns = 2 if count == 4 else min(count, 3)
    lines = -(-count // columns)
    side = ALONE if count == 1 else PANEL
    below = NAMES_BELOW if set(colourings) & set(NAMES) else SCALE_BELOW
    width, height = MARGIN + columns * (side + MARGIN), ABOVE + lines * (side + below)
    figure = new_figure(width, height, title)
    figure.suptitle(title, y=1 - MARGIN / 2 / height, wrap=True)

    def place(left: float, bottom: float, tall: float) -> "Axes":
        return figure.add_axes((left / width, bottom / height, side / width, tall / height))

    panels = []
    for number in range(count):
        line, column = divmod(number, columns)
        left = MARGIN + column * (side + MARGIN)
        bottom = height - ABOVE - line * (side + below) - side
        panels.append((place(left, bottom, side), place(left, bottom - GAP - BAR, BAR)))
    return figure, panels


def paint_panel(
    panel: "Axes",
    key: "Axes",
    places: Float[np.ndarray, "snapshots 2"],
    rows: "pd.DataFrame",
    axis: str,
    spec: AnySpec,
) -> None:
    """Draw snapshots coloured by one property, without ticks: the coordinates have no unit."""
    title = axis.replace("_", " ")
    if axis in NAMES:
        names = list(rows[axis])
        others = set(names) - set(NAMES[axis])  # names of an imported zoo
        paint_names(panel, key, places, names, sorted(set(names)) if others else NAMES[axis])
    else:
        numbers = rows[axis].to_numpy(dtype=float, copy=True)
        if axis == "init_std":
            numbers[~rows["initialiser"].isin(SCALED)] = np.nan
            title += " (pale: not chosen)" if np.isnan(numbers).any() else ""
        paint_numbers(panel, key, places, numbers, possible_numbers(axis, numbers, spec))
    panel.set_title(title)
    panel.set(xticks=[], yticks=[])
    panel.set_aspect("equal", adjustable="datalim")


def possible_numbers(
    axis: str, numbers: Float[np.ndarray, " snapshots"], spec: AnySpec
) -> Sequence[int | float] | Range:
    """Return the numbers of a scale: an axis's values in the spec, or the measured range."""
    if axis == "epoch":
        return spec.stored_epochs
    if axis in spec.varied:
        values: Sequence[int | float] | Range = getattr(spec, axis)
        return values
    low, high = float(numbers.min()), float(numbers.max())
    return Range(low, high) if low < high else (low,)
