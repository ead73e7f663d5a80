"""Search spaces: the settings of an embedder that a search may draw."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Uniform:
    """A number between two bounds, drawn uniformly or, if ``log``, uniformly in its logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[object, ...]


SearchSpace = Mapping[str, Uniform | Choice]
"""What to draw for each setting; an embedder offers it as its attribute ``search_space``."""
