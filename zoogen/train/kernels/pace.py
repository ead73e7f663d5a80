"""Long work in pieces short enough that Ctrl-C is heard and progress is seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

SECONDS = 0.1
"""What a piece should take."""


@dataclass
class Pace:
    """Cuts work into pieces, and remembers how large one may be.

    Attributes:
        size: Items to a piece, for the time being.
    """

    size: int = 1

    def pieces(self, total: int, unit: int) -> Iterator[slice]:
        """Cut ``total`` items into runs of whole units, each taking about ``SECONDS``."""
        at = 0
        while at < total:
            begin, end = perf_counter(), min(at + whole(self.size, unit), total)
            yield slice(at, end)
            took = max(perf_counter() - begin, 1e-6)
            self.size = max(1, min(4 * whole(self.size, unit), int((end - at) * SECONDS / took)))
            at = end


def whole(size: int, unit: int) -> int:
    """Bring a size down to whole units, one at least."""
    return max(size // unit, 1) * unit
