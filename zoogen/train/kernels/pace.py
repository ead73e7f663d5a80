"""Cut long work into pieces, short enough for Ctrl-C and the progress bar."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

SECONDS = 0.1
"""Time that a piece should take."""


@dataclass
class Pace:
    """Cuts work into pieces and learns how large they may be.

    Attributes:
        size: Current number of items in a piece.
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
    """Round a size down to whole units, to at least one."""
    return max(size // unit, 1) * unit
