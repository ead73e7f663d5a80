"""A part of a zoo: weights and properties of some snapshots, row by row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoogen.store.weights import Weights

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Part:
    """The snapshots of one split: row i of ``properties`` describes row i of ``weights``."""

    weights: Weights
    properties: "pd.DataFrame"
