"""What an embedder leaves open: settings that a search may draw."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Uniform:
    """Any number between two, uniformly or, if ``log``, uniformly in its logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[object, ...]


SearchSpace = Mapping[str, Uniform | Choice]
"""By the name of the setting; an embedder offers one as its attribute ``search_space``."""
