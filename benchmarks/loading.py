"""Opening a built zoo and reading all its weights."""

import numpy as np

from benchmarks.ratio import Ratio, seconds
from zoogen import load_zoo

CLAIM = (
    "``load_zoo('tetris-seed')`` maps the weights; reading all of them is compared with copying "
    "an array of the same size (files in the page cache)."
)

RUNS = 15


def measure() -> list[Ratio]:
    """Load, read and copy."""
    zoo = load_zoo("tetris-seed")
    weights = np.asarray(zoo.weights)
    return [
        Ratio(
            name="load_zoo, against 100 ms",
            ours=seconds(lambda: load_zoo("tetris-seed"), runs=RUNS),
            peer=0.1,
            required=1,
        ),
        Ratio(
            name="reading all weights, against np.copy",
            ours=seconds(lambda: np.asarray(zoo.weights), runs=RUNS),
            peer=seconds(lambda: np.copy(weights), runs=RUNS),
            required=0.8,
        ),
    ]
