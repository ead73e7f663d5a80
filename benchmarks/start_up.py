"""How long the command lines take to answer."""

import subprocess
import sys
from statistics import median
from time import perf_counter

from benchmarks.ratio import Ratio

CLAIM = "``--help`` answers at once: neither torch nor pandas is imported. Median of seven."

BUDGET_SECONDS = 0.5


def seconds(*command: str) -> float:
    """Time a fresh interpreter, the first run left out."""
    times = []
    for _ in range(8):
        begin = perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        times.append(perf_counter() - begin)
    return median(times[1:])


def measure() -> list[Ratio]:
    """Ask both commands for help."""
    return [
        Ratio(
            name=f"{name} --help, against {BUDGET_SECONDS} s",
            ours_seconds=seconds("-m", name, "--help"),
            peer_seconds=BUDGET_SECONDS,
            required=1,
        )
        for name in ("zoogen", "zoobench")
    ]
