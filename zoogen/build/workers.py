"""Shards side by side in worker processes; the death of a worker costs only its shard."""

import logging
import os
import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.queues import Queue
from queue import Empty
from threading import Thread
from time import monotonic, sleep
from typing import Protocol, runtime_checkable

from loky import ProcessPoolExecutor
from loky.backend import get_context
from loky.process_executor import TerminatedWorkerError

from zoogen.progress import Report

POLL_SECONDS = 0.2
ATTEMPTS = 3

log = logging.getLogger(__name__)


@runtime_checkable
class Job(Protocol):
    """A picklable job, called once for every shard."""

    def __call__(self, number: int, *, report: Report) -> None:
        """Do shard ``number`` and report steps as they are done."""


@dataclass
class Steps:
    """Counts the steps of one shard and posts the total a few times a second."""

    post: Callable[[int], None]
    done: int = 0
    posted: float = field(default_factory=monotonic)

    def __call__(self, steps: int) -> None:
        """Add the steps just done."""
        self.done += steps
        if monotonic() - self.posted > POLL_SECONDS:
            self.post(self.done)
            self.posted = monotonic()


@dataclass
class Backlog:
    """The shards that wait, the steps done of each, and the shards given up.

    If a worker dies, its shard waits again behind the others. After ``ATTEMPTS`` deaths, the shard
    is given up.
    """

    waiting: deque[int]
    report: Report
    reached: dict[int, int] = field(default_factory=dict)
    deaths: Counter[int] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)

    def advance_to(self, number: int, steps: int) -> None:
        """Report the steps of a shard that no earlier attempt has reported."""
        new = steps - self.reached.get(number, 0)
        if new > 0:
            self.reached[number] = steps
            self.report(new)

    def lose_worker(self, number: int, cause: str) -> None:
        """Queue the shard of a dead worker again, or give it up."""
        self.deaths[number] += 1
        again = self.deaths[number] < ATTEMPTS
        (self.waiting if again else self.lost).append(number)
        then = "it will be tried again" if again else f"given up after {ATTEMPTS} attempts"
        log.warning("the worker on shard %d died (%s); %s", number, cause, then)


class Worker:
    """A pool of one process, so that its death ends only one shard."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.start()

    def start(self) -> None:
        """Start a process with its own queue, which no other process can leave locked."""
        self.reports = get_context("loky").Queue()
        self.pool = ProcessPoolExecutor(
            1, initializer=enter_worker, initargs=(self.job, self.reports, os.getpid())
        )

    def begin(self, number: int) -> "Future[int]":
        """Start a shard; the future holds its number of steps."""
        try:
            future: Future[int] = self.pool.submit(run_job, number)
        except TerminatedWorkerError:  # the process died while idle
            self.start()
            future = self.pool.submit(run_job, number)
        return future

    def listen(self, backlog: Backlog) -> None:
        """Pass the waiting reports on to the backlog."""
        while True:
            try:
                backlog.advance_to(*self.reports.get_nowait())
            except Empty:
                return

    def stop(self) -> None:
        """Kill the process, even in the middle of a shard."""
        self.pool.shutdown(kill_workers=True)


def run_jobs(job: Job, numbers: Sequence[int], *, workers: int, report: Report) -> list[int]:
    """Do ``job`` for every shard in ``workers`` processes, or in this process for one worker.

    Processes are fresh interpreters (loky): scripts need no ``__main__`` guard, and this process
    may have used torch. A dead worker is replaced. An error in a job stops all workers.

    Returns:
        Numbers of the shards given up because their workers died repeatedly.
    """
    backlog = Backlog(deque(numbers), report)
    if workers == 1:
        for number in numbers:
            steps = Steps(partial(backlog.advance_to, number))
            job(number, report=steps)
            backlog.advance_to(number, steps.done)
        return []
    crew = [Worker(job) for _ in range(min(workers, len(numbers)))]
    try:
        work_through(backlog, crew)
    finally:
        for worker in crew:
            worker.stop()
    return backlog.lost


def work_through(backlog: Backlog, crew: Sequence[Worker]) -> None:
    """Give shards to idle workers until all shards are done or given up."""
    idle, busy = list(crew), dict[Future[int], tuple[int, Worker]]()
    while backlog.waiting or busy:
        while backlog.waiting and idle:
            number, worker = backlog.waiting.popleft(), idle.pop()
            busy[worker.begin(number)] = number, worker
        done, _ = wait(busy, POLL_SECONDS, FIRST_COMPLETED)
        for _, worker in busy.values():
            worker.listen(backlog)
        for future in done:
            number, worker = busy.pop(future)
            try:
                backlog.advance_to(number, future.result())
            except TerminatedWorkerError as error:
                exit_codes = re.search(r"\{(.+)\}", str(error))
                backlog.lose_worker(number, exit_codes[1] if exit_codes else "no exit code")
                worker.stop()
                worker.start()
            idle.append(worker)


WORK: list[tuple[Job, Callable[[tuple[int, int]], None]]] = []


def enter_worker(job: Job, reports: "Queue[tuple[int, int]]", parent: int) -> None:
    """Keep the job and the queue for all shards of this process; exit if the parent dies."""

    def watch() -> None:
        while os.getppid() == parent:
            sleep(POLL_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
    WORK.append((job, reports.put))


def run_job(number: int) -> int:
    """Do one shard in a worker process; return its number of steps."""
    job, put = WORK[0]
    steps = Steps(lambda done: put((number, done)))
    job(number, report=steps)
    return steps.done
