"""Checks the columns of a foreign table: which values can be stored, and which rows cannot."""

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from zoogen.errors import ZooError
from zoogen.spec.zoo_spec import AXES, Activation
from zoogen.store.table import PLACE

if TYPE_CHECKING:
    import pandas as pd

WORDS = ("activation", "initialiser", "optimiser")
"""Axes whose values are words; the others are numbers."""

LONGEST_WORD = 100
PLACE_AND_RUN = (*PLACE, "run")


def check_axes(snapshots: "pd.DataFrame") -> None:
    """Check epochs and axes, and convert numeric axes to numbers.

    Raises:
        ZooError: If an epoch is not a whole number, an axis does not hold words or finite numbers,
            or an activation is unknown.
    """
    import pandas as pd

    epochs = snapshots["epoch"]
    if not pd.api.types.is_integer_dtype(epochs) or epochs.min() < 0:
        raise ZooError(f"found epoch {epochs.min()}, expected whole numbers from 0")
    for axis in (axis for axis in (*AXES, "seed") if axis in snapshots):
        column = snapshots[axis]
        if axis in WORDS:
            bad = ~column.map(
                lambda value: isinstance(value, str) and 0 < len(value) <= LONGEST_WORD
            )
        else:
            snapshots[axis] = to_numbers(column)
            bad = ~np.isfinite(snapshots[axis])
        if bad.any():
            run, value = snapshots["run"][bad].iloc[0], column[bad].tolist()[0]
            expected = "a word" if axis in WORDS else "a number"
            raise ZooError(f"{run}: {axis} is {value!r:.100}, expected {expected}")
    unknown = sorted(set(snapshots["activation"]) - set(get_args(Activation)))
    if unknown:
        known = ", ".join(get_args(Activation))
        raise ZooError(f"unknown activation {unknown[0]!r}, expected one of {known}")


def measured_names(snapshots: "pd.DataFrame") -> tuple[str, ...]:
    """Return the columns that hold measurements."""
    other = {*PLACE_AND_RUN, *AXES, "seed"}
    return tuple(name for name in map(str, snapshots) if name not in other)


def unmeasured_rows(snapshots: "pd.DataFrame") -> dict[int, str]:
    """Convert measurements to numbers; return the rows that lack one, each with the reason."""
    lost = dict[int, str]()
    for name in measured_names(snapshots):
        snapshots[name] = to_numbers(snapshots[name])
        bad = ~np.isfinite(snapshots[name].to_numpy(dtype=float))
        lost |= dict.fromkeys(np.flatnonzero(bad).tolist(), f"{name} missing or not finite")
    return lost


def to_numbers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Convert a column to numbers, with NaN for values that are not."""
    import pandas as pd

    return column if pd.api.types.is_numeric_dtype(column) else column.map(to_number)


def to_number(value: Any) -> float:
    """Convert any foreign value to a number, or NaN."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
