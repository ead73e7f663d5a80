"""How long a process waits for kernels that have been compiled before."""

import subprocess
import sys

from benchmarks.ratio import Ratio

CLAIM = (
    "A fresh process loads the kernels of a network that an earlier one compiled, as every worker "
    "does. The first of two rows times the loading alone, all modules imported; the second with it "
    "the import of the kernels' modules, Numba included, torch and the rest of zoogen being there. "
    "The peer is a budget of 1.5 s; the fastest of five processes counts."
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
        Seconds to load them, and to load them with their modules and Numba.
    """
    command = [sys.executable, "-c", LOAD, name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def measure() -> list[Ratio]:
    """Compile the kernels if need be, then load them again and again."""
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
