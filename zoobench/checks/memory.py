"""How much memory a piece of work takes at its peak."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

INTERVAL = 0.001
"""Seconds between two looks."""


@dataclass
class Growth:
    """Bytes of memory in use beyond those at the start."""

    bytes: int = 0


@contextmanager
def peak_growth() -> Iterator[Growth]:
    """Watch the memory of the process; what was grown by stands in the value after the block.

    Memory that was free before the block and is used again does not count.
    """
    import psutil

    process = psutil.Process()
    before = process.memory_info().rss
    growth, done = Growth(), Event()

    def look() -> None:
        growth.bytes = max(growth.bytes, process.memory_info().rss - before)

    def keep_looking() -> None:
        while not done.wait(INTERVAL):
            look()

    thread = Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield growth
    finally:
        look()
        done.set()
        thread.join()
