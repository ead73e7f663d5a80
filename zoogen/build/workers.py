"""Shards side by side, one process each; a death costs one shard, all are stopped at once."""

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
    """A picklable piece of work for every shard."""

    def __call__(self, number: int, *, report: Report) -> None:
        """Do shard ``number``, reporting its steps as it goes."""


@dataclass
class Steps:
    """Counts the steps of one shard and posts their sum a few times a second."""

    post: Callable[[int], None]
    done: int = 0
    posted: float = field(default_factory=monotonic)

    def __call__(self, steps: int) -> None:
        """Add the steps that have just been done."""
        self.done += steps
        if monotonic() - self.posted > POLL_SECONDS:
            self.post(self.done)
            self.posted = monotonic()


@dataclass
class Backlog:
    """What is left to do: shards that wait, how far each has come, those given up.

    A shard whose worker dies waits again, behind the others; at the last of ``ATTEMPTS`` it is
    given up.
    """

    waiting: deque[int]
    report: Report
    reached: dict[int, int] = field(default_factory=dict)
    deaths: Counter[int] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)

    def came_to(self, number: int, steps: int) -> None:
        """Report the steps of a shard that are new, not those that another attempt repeats."""
        new = steps - self.reached.get(number, 0)
        if new > 0:
            self.reached[number] = steps
            self.report(new)

    def died(self, number: int, cause: str) -> None:
        """Put a shard whose worker has died where it belongs."""
        self.deaths[number] += 1
        again = self.deaths[number] < ATTEMPTS
        (self.waiting if again else self.lost).append(number)
        then = "it will be tried again" if again else f"given up after {ATTEMPTS} attempts"
        log.warning("the worker on shard %d died (%s); %s", number, cause, then)


class Worker:
    """A pool of one: its death is that of the shard it is at, and of nothing else."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.start()

    def start(self) -> None:
        """Make a process, and a queue that no other process can leave locked."""
        self.reports = get_context("loky").Queue()
        self.pool = ProcessPoolExecutor(
            1, initializer=enter_worker, initargs=(self.job, self.reports, os.getpid())
        )

    def begin(self, number: int) -> "Future[int]":
        """Start on a shard; the future holds the number of its steps."""
        try:
            future: Future[int] = self.pool.submit(run_job, number)
        except TerminatedWorkerError:  # it died idle, at nobody's cost
            self.start()
            future = self.pool.submit(run_job, number)
        return future

    def listen(self, backlog: Backlog) -> None:
        """Pass on what has been reported so far."""
        while True:
            try:
                backlog.came_to(*self.reports.get_nowait())
            except Empty:
                return

    def stop(self) -> None:
        """End the process, in the middle of a shard or not."""
        self.pool.shutdown(kill_workers=True)


def run_jobs(job: Job, numbers: Sequence[int], *, workers: int, report: Report) -> list[int]:
    """Do ``job`` for every shard, in ``workers`` processes or, with one, in this process.

    Processes are fresh interpreters (loky), so that a script without a ``__main__`` guard and a
    parent that has used torch are both safe. Where one dies another takes its place. What a job
    raises ends all of them at once.

    Returns:
        The shards given up because their worker died again and again.
    """
    backlog = Backlog(deque(numbers), report)
    if workers == 1:
        for number in numbers:
            steps = Steps(partial(backlog.came_to, number))
            job(number, report=steps)
            backlog.came_to(number, steps.done)
        return []
    crew = [Worker(job) for _ in range(min(workers, len(numbers)))]
    try:
        work_through(backlog, crew)
    finally:
        for worker in crew:
            worker.stop()
    return backlog.lost


def work_through(backlog: Backlog, crew: Sequence[Worker]) -> None:
    """Hand out shards until none waits and every worker has come to an end."""
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
                backlog.came_to(number, future.result())
            except TerminatedWorkerError as error:
                exit_codes = re.search(r"\{(.+)\}", str(error))
                backlog.died(number, exit_codes[1] if exit_codes else "no exit code")
                worker.stop()
                worker.start()
            idle.append(worker)


WORK: list[tuple[Job, Callable[[tuple[int, int]], None]]] = []


def enter_worker(job: Job, reports: "Queue[tuple[int, int]]", parent: int) -> None:
    """Keep the job, which may be large, and where to report; end soon after the parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            sleep(POLL_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
    WORK.append((job, reports.put))


def run_job(number: int) -> int:
    """Do one shard in a worker; return the number of its steps."""
    job, put = WORK[0]
    steps = Steps(lambda done: put((number, done)))
    job(number, report=steps)
    return steps.done
