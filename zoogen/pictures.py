"""Matplotlib figures in one style, drawn without a window."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 150

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#B0B0B0",
    "axes.grid": True,
    "axes.labelsize": 12,
    "axes.titlesize": 12,
    "figure.titlesize": 13,
    "font.size": 11,
    "grid.color": "#E4E4E4",
    "legend.frameon": False,
}


def as_png(draw: "Callable[[], Figure]") -> bytes:
    """Draw a figure in our style, ignoring the user's settings, and return a PNG file."""
    from matplotlib import style

    buffer = BytesIO()
    with style.context(["default", STYLE]):
        draw().savefig(buffer, format="png")
    return buffer.getvalue()


def new_figure(width: float, height: float, title: str) -> "Figure":
    """Return an empty figure with a title; without pyplot, it needs no window and no backend."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=PIXELS_PER_INCH)
    figure.suptitle(title)
    return figure
