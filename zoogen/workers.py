"""Shards side by side, one process each; stopped at once, whoever stops first."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import Queue
from queue import Empty
from threading import Thread
from time import sleep
from typing import Protocol, runtime_checkable

from loky import ProcessPoolExecutor
from loky.backend import get_context

from zoogen.errors import ZooError

POLL_SECONDS = 0.2

Report = Callable[[int], None]
"""Called with the number of snapshots that have just been taken."""


@runtime_checkable
class Job(Protocol):
    """A picklable piece of work."""

    def __call__(self, number: int, *, report: Report) -> None:
        """Do piece ``number``, reporting at least once an epoch."""


def run_jobs(job: Job, numbers: Sequence[int], *, workers: int, report: Report) -> None:
    """Do every piece of ``job``, in ``workers`` processes or, with one, in this process.

    Processes are fresh interpreters (loky), so that a script without a ``__main__`` guard and a
    parent that has used torch are both safe.

    Raises:
        ZooError: If a worker process dies.
    """
    if workers == 1:
        for number in numbers:
            job(number, report=report)
        return
    reports = get_context("loky").Queue()
    pool = ProcessPoolExecutor(workers, initializer=enter_worker, initargs=(reports, os.getpid()))
    try:
        pending = {pool.submit(run_job, job, number) for number in numbers}
        while pending:
            done, pending = wait(pending, POLL_SECONDS, FIRST_EXCEPTION)
            drain(reports, report)
            for future in done:
                future.result()
        drain(reports, report)
    except BrokenProcessPool as error:
        raise ZooError(
            "a worker process died, most likely for want of memory; finished shards are kept, "
            "run the same command again, with fewer --workers if it happens twice"
        ) from error
    finally:
        pool.shutdown(kill_workers=True)


def drain(reports: "Queue[int]", report: Report) -> None:
    """Pass on what has been reported so far."""
    while True:
        try:
            report(reports.get_nowait())
        except Empty:
            return


REPORT: list[Report] = []


def enter_worker(reports: "Queue[int]", parent: int) -> None:
    """Remember where to report to; at work or idle, end soon after the parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            sleep(POLL_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
    REPORT.append(reports.put)


def run_job(job: Job, number: int) -> None:
    """Do one piece in a worker."""
    job(number, report=REPORT[0])
