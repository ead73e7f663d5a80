"""Coloured points: one colour per name or a scale for numbers, both safe for the colour-blind."""

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from zoogen.spec.axes import Range

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap

NAMED = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#F0E442",
)
"""The eight colours of Okabe and Ito, yellow last: it is the faintest on white."""

PALE = "#D0D0D0"
"""Colour of points without a value."""

LONG = 8
"""Letters of the longest name that leaves room for four names in a row."""

BRIGHTEST = 0.93
"""End of the part of viridis that is used: its last yellows fade into white."""

STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Steps between tick labels: if there are many values, only multiples of a step get one."""


def tick_places(values: Sequence[int | float], most: int) -> list[int]:
    """Return the places of the values to label, at most ``most``: round ones, evenly spaced."""
    if len(values) <= most:
        return list(range(len(values)))
    for step in STEPS:
        places = [place for place, value in enumerate(values) if value % step == 0]
        if 2 <= len(places) <= most:
            return places
    return list(range(0, len(values), -(-len(values) // most)))


def sequential(count: int) -> "ListedColormap":
    """Return ``count`` colours of viridis, dark to bright."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    return ListedColormap(mpl.colormaps["viridis"](np.linspace(0, BRIGHTEST, count)))


def dot_size(points: int) -> float:
    """Return the area of a dot, in points squared: the fewer dots, the larger."""
    return float(np.clip(30_000 / points, 1.5, 12))


def paint_names(
    axes: "Axes",
    key: "Axes",
    points: Float[np.ndarray, "points 2"],
    names: Sequence[str],
    known: Sequence[str],
) -> None:
    """Draw points, each in the colour of its name.

    Args:
        axes: Axes to draw on.
        key: Axes for the legend of the names that occur.
        points: Coordinates.
        names: Name of each point.
        known: All possible names; each has the same colour in the plots of every zoo.
    """
    from matplotlib.lines import Line2D

    colours = dict(zip(known, cycle(NAMED), strict=False))
    size = dot_size(len(points))
    axes.scatter(
        points[:, 0], points[:, 1], c=[colours[name] for name in names], s=size, linewidths=0
    )
    present = [name for name in known if name in set(names)]
    handles = [
        Line2D([], [], linestyle="", marker="o", color=colours[name], label=name)
        for name in present
    ]
    key.set_axis_off()
    key.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=2 if max(map(len, present)) > LONG else 4,
        borderpad=0,
        handletextpad=0,
        columnspacing=1,
    )


def paint_numbers(
    axes: "Axes",
    key: "Axes",
    points: Float[np.ndarray, "points 2"],
    numbers: Float[np.ndarray, " points"],
    possible: Sequence[int | float] | Range,
) -> None:
    """Draw points coloured on a scale, dark for low numbers.

    Listed numbers get evenly spaced colours, whatever their distances; numbers from a range get a
    continuous scale, logarithmic if the range is.

    Args:
        axes: Axes to draw on.
        key: Axes for the scale, drawn along their longer side.
        points: Coordinates.
        numbers: Number of each point; points with NaN are drawn pale.
        possible: All possible numbers.
    """
    from matplotlib.colors import LogNorm, Normalize

    size = dot_size(len(points))
    there = np.isfinite(numbers)
    axes.scatter(points[~there, 0], points[~there, 1], c=PALE, s=size, linewidths=0)
    if isinstance(possible, Range):
        kind = LogNorm if possible.scale == "log" else Normalize
        norm, colours, places = kind(possible.low, possible.high), sequential(256), numbers
    else:
        listed = sorted(possible)
        norm, colours = Normalize(-0.5, len(listed) - 0.5), sequential(len(listed))
        places = np.searchsorted(listed, numbers).astype(float)
    drawn = axes.scatter(
        points[there, 0],
        points[there, 1],
        c=places[there],
        cmap=colours,
        norm=norm,
        s=size,
        linewidths=0,
    )
    side = key.get_window_extent()
    along = "horizontal" if side.width > side.height else "vertical"
    bar = axes.figure.colorbar(drawn, cax=key, orientation=along)
    bar.outline.set_visible(False)
    if not isinstance(possible, Range):
        at = tick_places(listed, most=10)
        bar.set_ticks(at, labels=[f"{listed[place]:g}" for place in at])
        key.tick_params(length=0)
