"""Measure the peak memory of a piece of work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

INTERVAL = 0.001
"""Seconds between two measurements."""


@dataclass
class Growth:
    """Peak memory in use beyond that at the start, in bytes."""

    bytes: int = 0


@contextmanager
def peak_growth() -> Iterator[Growth]:
    """Measure the memory of the process during the block; the yielded value holds the growth.

    Memory that the process held free before the block does not count.
    """
    import psutil

    process = psutil.Process()
    before = process.memory_info().rss
    growth, done = Growth(), Event()

    def measure() -> None:
        growth.bytes = max(growth.bytes, process.memory_info().rss - before)

    def keep_measuring() -> None:
        while not done.wait(INTERVAL):
            measure()

    thread = Thread(target=keep_measuring, daemon=True)
    thread.start()
    try:
        yield growth
    finally:
        measure()
        done.set()
        thread.join()
