"""The report of a benchmark: our cost beside a peer's, measured in the same run."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One measured cost; lower is better.

    Attributes:
        name: Work measured, and the peer it is compared with.
        ours: Wall time, memory or error of our code.
        peer: The same of the peer, or a budget.
        unit: Unit of both.
        required: Smallest ratio we claim; None if the ratio is only shown.
    """

    name: str
    ours: float
    peer: float
    unit: str = "s"
    required: float | None = None

    @property
    def ratio(self) -> float:
        """The peer's cost divided by ours."""
        return self.peer / self.ours


def seconds(action: Callable[[], object], *, runs: int) -> float:
    """Return the median wall time of several runs, after an uncounted first one."""
    times = []
    for _ in range(runs + 1):
        begin = perf_counter()
        action()
        times.append(perf_counter() - begin)
    return median(times[1:])
