"""Opening a built zoo, and reading all of its weights."""

from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.ratio import Ratio
from zoogen import load_zoo

CLAIM = (
    "``load_zoo('tetris-seed')`` maps the weights; reading all of them runs at the rate at which "
    "this machine copies an array of the same size (files in the page cache)."
)

RUNS = 15


def seconds(action: object) -> float:
    """Take the median of several runs, the first left out."""
    times = []
    for _ in range(RUNS + 1):
        begin = perf_counter()
        action()  # type: ignore[operator]
        times.append(perf_counter() - begin)
    return median(times[1:])


def measure() -> list[Ratio]:
    """Load, read and copy."""
    zoo = load_zoo("tetris-seed")
    weights = np.asarray(zoo.weights)
    return [
        Ratio(
            name="load_zoo, against 100 ms",
            ours_seconds=seconds(lambda: load_zoo("tetris-seed")),
            peer_seconds=0.1,
            required=1,
        ),
        Ratio(
            name="reading all weights, against np.copy",
            ours_seconds=seconds(lambda: np.asarray(zoo.weights)),
            peer_seconds=seconds(lambda: np.copy(weights)),
            required=0.5,
        ),
    ]
