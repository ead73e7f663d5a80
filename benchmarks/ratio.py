"""What a benchmark reports: our cost beside a peer's, taken in the same run."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One measurement: the less, the better.

    Attributes:
        name: What was done, and against whom.
        ours: Wall time, memory or error of our code.
        peer: The same of the peer, or a budget.
        unit: Of both.
        required: The least ratio we claim; None if it is only shown.
    """

    name: str
    ours: float
    peer: float
    unit: str = "s"
    required: float | None = None

    @property
    def ratio(self) -> float:
        """How many times less we cost."""
        return self.peer / self.ours


def seconds(action: Callable[[], object], *, runs: int) -> float:
    """Take the median wall time of several runs, after one that is not counted."""
    times = []
    for _ in range(runs + 1):
        begin = perf_counter()
        action()
        times.append(perf_counter() - begin)
    return median(times[1:])
