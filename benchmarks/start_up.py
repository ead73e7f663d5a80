"""How long the command lines take to answer."""

import subprocess
import sys
from functools import partial

from benchmarks.ratio import Ratio, seconds

CLAIM = "``--help`` answers at once: neither torch nor pandas is imported. Median of seven."

BUDGET_SECONDS = 0.5


def ask_for_help(name: str) -> None:
    """Start a fresh interpreter that prints a help text."""
    subprocess.run([sys.executable, "-m", name, "--help"], check=True, capture_output=True)


def measure() -> list[Ratio]:
    """Ask both commands for help."""
    return [
        Ratio(
            name=f"{name} --help, against {BUDGET_SECONDS} s",
            ours=seconds(partial(ask_for_help, name), runs=7),
            peer=BUDGET_SECONDS,
            required=1,
        )
        for name in ("zoogen", "zoobench")
    ]
