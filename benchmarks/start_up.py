"""The start-up time of the command lines."""

import subprocess
import sys
from functools import partial

from benchmarks.ratio import Ratio, seconds

CLAIM = "``--help`` answers at once, since it imports neither torch nor pandas. Median of seven."

BUDGET_SECONDS = 0.5


def ask_for_help(name: str) -> None:
    """Print a help text from a fresh interpreter."""
    subprocess.run([sys.executable, "-m", name, "--help"], check=True, capture_output=True)


def measure() -> list[Ratio]:
    """Time the help of both commands."""
    return [
        Ratio(
            name=f"{name} --help, against {BUDGET_SECONDS} s",
            ours=seconds(partial(ask_for_help, name), runs=7),
            peer=BUDGET_SECONDS,
            required=1,
        )
        for name in ("zoogen", "zoobench")
    ]
