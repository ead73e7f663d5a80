"""Ranges and random seeds, which an axis of a zoo may hold instead of a tuple of values."""

from math import exp, log
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic.dataclasses import dataclass

from zoogen.spec.architectures import VALUE

Seed = Annotated[int, Field(ge=0, lt=2**63)]
SIGNIFICANT = 6


@dataclass(frozen=True, config=VALUE)
class Range:
    """Numbers from ``low`` to ``high``, uniform on a linear or a logarithmic scale.

    Raises:
        pydantic.ValidationError: If the range is empty, or logarithmic and reaches 0.
    """

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def check_bounds(self) -> "Range":
        """Refuse bounds that leave nothing to draw."""
        if self.low >= self.high:
            raise ValueError(f"the range from {self.low} to {self.high} is empty")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a logarithmic range must start above 0, not at {self.low}")
        return self

    def at(self, share: float) -> float:
        """Return the quantile at ``share``, a number in [0, 1).

        It is rounded to six significant digits, because logarithms differ between machines.
        """
        if self.scale == "log":
            value = exp(log(self.low) + share * (log(self.high) - log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return min(max(float(f"{value:.{SIGNIFICANT}g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}" + (", log scale" if self.scale == "log" else "")


@dataclass(frozen=True, kw_only=True, config=VALUE)
class RandomSeeds:
    """Seeds drawn once for every point of the grid and stored in the table.

    Attributes:
        each: Number of seeds per point.
        low: Smallest possible seed.
        high: Largest possible seed.

    Raises:
        pydantic.ValidationError: If the range is empty.
    """

    each: PositiveInt
    low: Seed = 1
    high: Seed = 1_000_000

    @model_validator(mode="after")
    def check_bounds(self) -> "RandomSeeds":
        """Refuse bounds that leave nothing to draw."""
        if self.low > self.high:
            raise ValueError(f"no seed lies between {self.low} and {self.high}")
        return self

    def at(self, share: float) -> int:
        """Return the seed at the quantile ``share``, a number in [0, 1)."""
        return self.low + int(share * (self.high - self.low + 1))

    def __len__(self) -> int:
        return self.each

    def __str__(self) -> str:
        return f"{self.each} drawn for each configuration, from {self.low} to {self.high}"
