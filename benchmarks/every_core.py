"""Time repeated work in this process or on every core at once."""

from collections.abc import Callable, Generator
from multiprocessing import get_context
from threading import Barrier
from time import perf_counter

from joblib import Parallel, delayed

from zoogen.device import cores

Work = Callable[[], Generator[int, None, None]]
"""Prepares, then does one turn of work at every ``next`` and yields its number of units."""

RUNS = 3


def turns(work: Work, barrier: Barrier, runs: int) -> list[float]:
    """Return the seconds per unit of some turns, after an uncounted first one.

    Args:
        work: The work to time.
        barrier: Barrier where all processes wait before each turn.
        runs: Number of counted turns.
    """
    doing, times = work(), []
    next(doing)
    for _ in range(runs):
        barrier.wait()
        begin = perf_counter()
        units = next(doing)
        times.append((perf_counter() - begin) / units)
    doing.close()
    return times


def here(work: Work, runs: int = RUNS) -> float:
    """Return the seconds per unit of the fastest turn in this process."""
    return min(turns(work, Barrier(1), runs))


def on_every_core(work: Work, runs: int = RUNS) -> float:
    """Do the work in one process per core at once.

    Returns:
        Seconds per unit of all processes together, in their fastest turn.
    """
    processes = cores()
    with get_context("spawn").Manager() as manager:
        barrier = manager.Barrier(processes)
        rounds = zip(
            *Parallel(n_jobs=processes, batch_size=1)(
                delayed(turns)(work, barrier, runs) for _ in range(processes)
            ),
            strict=True,
        )
        return float(min(1 / sum(1 / time for time in times) for times in rounds))
