"""Builds by the command line: their time, and the memory of all their processes."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.ratio import Ratio

SAMPLE_SECONDS = 0.3
BUDGET_BYTES = 1.5e9


@dataclass(frozen=True, kw_only=True)
class Build:
    """The cost of a build.

    Attributes:
        seconds: Wall time of the command.
        bytes: Peak memory of all its processes; 0 without /proc.
    """

    seconds: float
    bytes: float


def build_and_watch(name: str, folder: Path, *options: str) -> Build:
    """Build a zoo with the command line.

    A module with a spec must be beside the folder.
    """
    command = [sys.executable, "-m", "zoogen", "build", name, "--out", str(folder), *options]
    begin, peak = perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder.parent) as build:
        while build.poll() is None:
            peak = max(peak, tree_bytes(build.pid))
            sleep(SAMPLE_SECONDS)
    if build.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with exit code {build.returncode}")
    return Build(seconds=perf_counter() - begin, bytes=peak)


def build_several_times(name: str, place: Path, runs: int) -> Build:
    """Build a zoo several times; return the shortest time and the largest memory."""
    builds = [build_and_watch(name, place / f"{name} {run}") for run in range(runs)]
    return Build(
        seconds=min(build.seconds for build in builds), bytes=max(build.bytes for build in builds)
    )


def tree_bytes(root: int) -> float:
    """Sum the proportional set sizes of a process and its descendants; 0 without /proc."""
    total, waiting = 0.0, [Path("/proc", str(root))]
    while waiting:
        process = waiting.pop()
        try:
            rollup = (process / "smaps_rollup").read_text()
            tasks = process.glob("task/*/children")
            waiting += [Path("/proc", pid) for task in tasks for pid in task.read_text().split()]
        except OSError:
            continue
        total += 1024 * float(rollup.split("\nPss:")[1].split()[0])
    return total


def memory(what: str, build: Build) -> list[Ratio]:
    """Compare the memory of a build with the budget, if it was measured."""
    if not build.bytes:
        return []
    return [
        Ratio(
            name=f"peak memory of all processes, {what}, against {BUDGET_BYTES / 1e9} GB",
            ours=build.bytes / 1e9,
            peer=BUDGET_BYTES / 1e9,
            unit="GB",
            required=1,
        )
    ]
