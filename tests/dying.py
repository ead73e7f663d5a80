"""Shards whose worker kills itself in the middle, once or every time."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.subprocesses import PATIENCE
from zoogen import ZooError
from zoogen.build.zoo import train_one
from zoogen.progress import Report

VICTIM = 1
ALWAYS = 1000


def begun(place: Path) -> dict[int, int]:
    """Return how often each shard was started."""
    return {int(note.name): len(note.read_text().split()) for note in place.iterdir()}


def processes(place: Path) -> set[str]:
    """Return the ids of the processes that started a shard."""
    return {process for note in place.iterdir() for process in note.read_text().split()}


def wait_for_file(path: Path) -> None:
    """Wait until another process has written the file."""
    end = monotonic() + PATIENCE
    while not path.exists():
        assert monotonic() < end, f"{path} did not appear"
        sleep(0.01)


def die() -> None:
    """Kill this process as the system would."""
    os.kill(os.getpid(), signal.SIGKILL)


def fatal(
    number: int, report: Report, *, place: Path, times: int, end: Callable[[], None] = die
) -> Report:
    """Note the start of a shard; kill ``VICTIM`` at its first step, the first ``times`` times."""
    with (place / str(number)).open("a") as note:
        note.write(f"{os.getpid()}\n")
    deadly = number == VICTIM and begun(place)[number] <= times

    def report_and_die(steps: int) -> None:
        report(steps)
        if deadly:
            end()

    return report_and_die


def count(number: int, *, report: Report, steps: int, **how: Any) -> None:
    """Only report steps."""
    report = fatal(number, report, **how)
    for _ in range(steps):
        report(1)


def train_fatally(number: int, *, report: Report, how: dict[str, Any], **work: Any) -> Any:
    """Train a shard of a zoo; ``how`` goes to ``fatal``."""
    return train_one(number, report=fatal(number, report, **how), **work)


def fail(number: int, *, report: Report, place: Path) -> None:
    """Fail in shard 0 as soon as shard 1 has started; shard 1 never ends."""
    (place / str(number)).touch()
    wait_for_file(place / "1" if number == 0 else place / "never")
    raise ZooError("no space left")
