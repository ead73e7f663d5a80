"""Shards side by side, one process each; stopped at once, whoever stops first."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import Queue
from queue import Empty
from threading import Thread
from time import monotonic, sleep
from typing import Protocol, runtime_checkable

from loky import ProcessPoolExecutor
from loky.backend import get_context

from zoogen.errors import ZooError

POLL_SECONDS = 0.2

Report = Callable[[int], None]
"""Called with the number of steps that have just been done."""


@runtime_checkable
class Job(Protocol):
    """A picklable piece of work."""

    def __call__(self, number: int, *, report: Report) -> None:
        """Do piece ``number``, reporting its steps as it goes."""


def run_jobs(job: Job, numbers: Sequence[int], *, workers: int, report: Report) -> None:
    """Do every piece of ``job``, in ``workers`` processes or, with one, in this process.

    Processes are fresh interpreters (loky), so that a script without a ``__main__`` guard and a
    parent that has used torch are both safe.

    Raises:
        ZooError: If a worker process dies.
    """
    if workers == 1:
        gathered = now_and_then(report)
        for number in numbers:
            job(number, report=gathered)
            gathered(0)
        return
    reports = get_context("loky").Queue()
    pool = ProcessPoolExecutor(
        workers, initializer=enter_worker, initargs=(job, reports, os.getpid())
    )
    try:
        pending = {pool.submit(run_job, number) for number in numbers}
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


WORK: list[tuple[Job, Report]] = []


def enter_worker(job: Job, reports: "Queue[int]", parent: int) -> None:
    """Keep the job, which may be large, and where to report; end soon after the parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            sleep(POLL_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
    WORK.append((job, now_and_then(reports.put)))


def run_job(number: int) -> None:
    """Do one piece in a worker."""
    job, report = WORK[0]
    job(number, report=report)
    report(0)


def now_and_then(report: Report) -> Report:
    """Gather reports and pass them on a few times a second; a report of 0 passes on the rest."""
    gathered, sent = 0, monotonic()

    def gather(steps: int) -> None:
        nonlocal gathered, sent
        gathered += steps
        if steps == 0 or monotonic() - sent > POLL_SECONDS:
            report(gathered)
            gathered, sent = 0, monotonic()

    return gather
