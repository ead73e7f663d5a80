"""What an axis of a zoo may hold: a list of values, a range to draw from, or seeds to draw."""

from math import exp, log
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic.dataclasses import dataclass

from zoogen.spec.architectures import VALUE

Seed = Annotated[int, Field(ge=0, lt=2**63)]
SIGNIFICANT = 6


@dataclass(frozen=True, config=VALUE)
class Range:
    """Numbers from ``low`` to ``high``, equally likely on a linear or a logarithmic scale.

    Raises:
        pydantic.ValidationError: For an empty range, or a logarithmic one that reaches 0.
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
            raise ValueError(f"a logarithmic range starts above 0, not at {self.low}")
        return self

    def at(self, share: float) -> float:
        """Return the number that a share in [0, 1) of all draws lies below.

        Rounded to six significant digits, so that no machine's logarithm shows in a zoo.
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
    """Seeds drawn once for every point of the grid, published in the table.

    Attributes:
        each: How many per point.
        low: The smallest that may be drawn.
        high: The largest.

    Raises:
        pydantic.ValidationError: For an empty range.
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
        """Return the seed that a share in [0, 1) of all draws lies below."""
        return self.low + int(share * (self.high - self.low + 1))

    def __len__(self) -> int:
        return self.each

    def __str__(self) -> str:
        return f"{self.each} drawn for each configuration, from {self.low} to {self.high}"
