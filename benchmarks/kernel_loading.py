"""The time to load kernels that are compiled already."""

import subprocess
import sys

from benchmarks.ratio import Ratio

CLAIM = (
    "A fresh process, like every worker, loads the kernels of a network that an earlier process "
    "compiled. The first of two rows times only the loading, with all modules imported. The "
    "second includes the import of the kernels' modules and of Numba, but not of torch and the "
    "rest of zoogen. The peer is a budget of 1.5 s; the fastest of five processes counts."
)

ZOOS = ("tetris-seed", "mnist-seed", "mnist-hyp")
BUDGET_SECONDS = 1.5
RUNS = 5
LOAD = """
import sys
from time import perf_counter

import torch
import zoogen.build.shard
from zoogen import zoo_spec

network = zoo_spec(sys.argv[1]).network
begin = perf_counter()
from zoogen.train.kernels.compiled import chain_kernels, lane_kernels
from zoogen.train.kernels.population import side_by_side
imported = perf_counter()
lane_kernels() if side_by_side(network) else chain_kernels(network)
loaded = perf_counter()
print(loaded - imported, loaded - begin)
"""


def load(name: str) -> tuple[float, ...]:
    """Load the kernels of a zoo in a fresh process.

    Returns:
        Seconds to load the kernels, and to load them with their modules and Numba.
    """
    command = [sys.executable, "-c", LOAD, name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def measure() -> list[Ratio]:
    """Compile the kernels if needed, then load them several times."""
    ratios = []
    for name in ZOOS:
        load(name)
        times = zip(*(load(name) for _ in range(RUNS)), strict=True)
        for what, seconds in zip(("kernels", "kernels and Numba"), times, strict=True):
            ratios.append(
                Ratio(
                    name=f"{what} of {name}, against {BUDGET_SECONDS} s",
                    ours=min(seconds),
                    peer=BUDGET_SECONDS,
                    required=1,
                )
            )
    return ratios
