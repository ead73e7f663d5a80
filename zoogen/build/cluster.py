"""Shards on many machines: a Ray cluster trains them, this machine keeps them.

No file system is shared: a task gets its work through Ray's object store and returns its result
through it.
"""

import logging
import os
import re
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from textwrap import shorten
from typing import Any, Protocol, runtime_checkable

from zoogen.build.workers import ATTEMPTS, POLL_SECONDS, Backlog, Steps
from zoogen.errors import ZooError
from zoogen.extras import extra_package
from zoogen.progress import Report
from zoogen.train.device import check_device

SAME_EVERYWHERE = ("zoobench", "torch", "numpy", "numba")
PATIENCE_SECONDS = 5


@runtime_checkable
class RemoteJob(Protocol):
    """A picklable piece of work for every shard; what it returns is picklable too."""

    def __call__(self, number: int, *, device: str, report: Report) -> Any:
        """Do shard ``number`` where torch calls it ``device``, reporting its steps as it goes."""


class Board:
    """Where tasks post how far they have come; an actor of the cluster.

    It may be lost and start anew: posts are sums, so that the next one says all.
    """

    def __init__(self) -> None:
        self.posted: dict[int, int] = {}

    def post(self, number: int, steps: int) -> None:
        """Note the steps a shard has come to."""
        self.posted[number] = steps

    def read(self) -> dict[int, int]:
        """Return the steps of every shard posted since the last reading."""
        posted, self.posted = self.posted, {}
        return posted


def run_on_cluster(
    job: RemoteJob,
    numbers: Sequence[int],
    keep: Callable[[int, Any], None],
    *,
    address: str,
    device: str | None,
    tf32: bool = False,
    workers: int | None,
    report: Report,
) -> list[int]:
    """Do ``job`` for every shard on a Ray cluster and ``keep`` each result in this process.

    One result is held here at a time. In the cluster there are no more than two to a processor,
    one in the making and one waiting to be kept, however many shards there are.

    Args:
        job: Sent once, with all it holds.
        numbers: The shards.
        keep: Called with a shard and its result, one after another.
        address: As Ray takes it, see ``ray_cluster``.
        device: ``cuda`` for a GPU to each task, ``cpu`` for a core; by default GPUs if there are.
        tf32: Whether ``job`` is to use TF32, which a core has not.
        workers: At most so many tasks at once; by default what the cluster holds.
        report: Called with the steps that are new.

    Returns:
        The shards given up because their worker died again and again.

    Raises:
        ZooError: If Ray is not installed, the cluster cannot be reached or has no such device, its
            machines have other versions than this one, or ``job`` or ``keep`` raises one.
    """
    backlog = Backlog(deque(numbers), report)
    with ray_cluster(address) as ray:
        kind = processor(ray.cluster_resources(), device, address, tf32=tf32)
        task = ray.remote(max_retries=0, num_gpus=int(kind == "GPU"))(run_task)
        board = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Board).remote()
        send = partial(
            task.remote,
            ray.put(job),
            device="cuda" if kind == "GPU" else "cpu",
            board=board,
            versions=versions(),
        )
        running, reading = dict[Any, int](), board.read.remote()
        while backlog.waiting or running:
            most = workers or 2 * max(1, int(ray.cluster_resources().get(kind, 0)))
            while backlog.waiting and len(running) < most:
                number = backlog.waiting.popleft()
                running[send(number)] = number
            for reference in ray.wait(list(running), timeout=POLL_SECONDS)[0]:
                collect(ray, reference, running.pop(reference), backlog, keep)
            if ray.wait([reading], timeout=0)[0]:
                for number, steps in ray.get(reading).items():
                    backlog.came_to(number, steps)
                reading = board.read.remote()
    return backlog.lost


def collect(
    ray: Any, reference: Any, number: int, backlog: Backlog, keep: Callable[[int, Any], None]
) -> None:
    """Fetch the result of a task that has ended and keep it, or note that its worker died."""
    died = (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.LocalRayletDiedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.ObjectLostError,
    )
    try:
        steps, result = ray.get(reference)
    except died as error:
        backlog.died(number, type(error).__name__)
    except ray.exceptions.RayTaskError as error:
        raise as_raised_here(error) from None
    else:
        keep(number, result)
        backlog.came_to(number, steps)


def as_raised_here(error: Any) -> Exception:
    """Turn what a task raised into what it would have raised on this machine."""
    if isinstance(error.cause, ZooError):
        return error.cause
    lacking = re.search(r"No module named '([^']+)'", str(error))
    if lacking:
        return ZooError(
            f"a machine of the cluster has no module {lacking[1]!r}: install zoobench "
            f"{version('zoobench')} on all of them; the same command goes on"
        )
    raised: Exception = error
    return raised


def run_task(
    job: RemoteJob, number: int, *, device: str, board: Any, versions: dict[str, str]
) -> tuple[int, Any]:
    """Do one shard on a machine of the cluster; return the number of its steps and the result."""
    refuse_other_versions(versions)
    steps = Steps(partial(board.post.remote, number))
    result = job(number, device=device, report=steps)
    return steps.done, result


def versions() -> dict[str, str]:
    """Return the versions that decide a result, without the build they were compiled for."""
    return {name: version_of(name).partition("+")[0] for name in SAME_EVERYWHERE}


def version_of(name: str) -> str:
    """Return the version of a package, or ``none``: without Numba, torch trains."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def refuse_other_versions(expected: dict[str, str]) -> None:
    """Refuse to compute on this machine what another version would be answerable for."""
    for name, found in versions().items():
        if found != expected[name]:
            raise ZooError(
                f"{socket.gethostname()} has {name} {found}, the machine that builds has "
                f"{expected[name]}: one zoo needs the same on all; install it and go on"
            )


def refuse_unusable(device: str, *, tf32: bool) -> None:
    """Refuse to compute where Ray hands out a GPU and torch finds none."""
    try:
        check_device(device, tf32=tf32)
    except ZooError as error:
        raise ZooError(
            f"{socket.gethostname()}: {error}; take its GPUs out of the cluster, or train on "
            "cores with --device cpu"
        ) from error


def check_processor(device: str | None, *, tf32: bool) -> None:
    """Refuse what no cluster can give, before one is asked: one GPU of many, or TF32 on a core.

    Raises:
        ZooError: If it does; the message says what to ask for.
    """
    if device not in {None, "cpu", "cuda"}:
        raise ZooError(f"device {device!r} cannot be named on a cluster; expected cpu or cuda")
    if tf32 and device == "cpu":
        raise ZooError("device 'cpu' has no TF32; ask a cluster for cuda, or leave out --tf32")


def processor(
    offered: dict[str, float], device: str | None, address: str, *, tf32: bool = False
) -> str:
    """Choose what a task needs one of, as Ray calls it: ``GPU`` or ``CPU``."""
    check_processor(device, tf32=tf32)
    gpus = int(offered.get("GPU", 0))
    kind = "GPU" if tf32 or device == "cuda" or (device is None and gpus) else "CPU"
    if int(offered.get(kind, 0)) == 0:
        raise ZooError(
            f"the Ray cluster at {address} offers no {kind}{', which TF32 needs' if tf32 else ''}; "
            f"it has {int(offered.get('CPU', 0))} CPU and {gpus} GPU"
        )
    return kind


@contextmanager
def ray_cluster(address: str) -> Iterator[Any]:
    """Connect to a Ray cluster and yield Ray; leaving stops what still runs of this build.

    Args:
        address: ``local`` for a cluster on this machine that ends with the build, ``auto`` for the
            one this machine belongs to, ``host:port`` for its head seen from one of its machines,
            ``ray://host:port`` from elsewhere.

    Raises:
        ZooError: If Ray is not installed, there is no cluster, it has other versions of Ray and
            Python, or it fails.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray tells its makers by default
    extra_package("ray", "a cluster")
    import ray

    refuse_unreachable(address)
    # Ray prints to standard output what it thinks of dead workers; the backlog says it shorter.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            join(ray, address)
        except (ImportError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            ray.shutdown()
            raise unreachable(address, in_short(error)) from error
        try:
            yield ray
        except ray.exceptions.RayTaskError:
            raise
        except (ConnectionError, ray.exceptions.RayError) as error:
            raise ZooError(
                f"the Ray cluster at {address} failed ({in_short(error)}); "
                "finished shards are kept, the same command goes on"
            ) from error
        finally:
            ray.shutdown()


def join(ray: Any, address: str) -> None:
    """Connect to a cluster; one that is too busy to start a server for us is asked again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            ray.init(
                address,
                include_dashboard=False if address == "local" else None,
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
        except ConnectionAbortedError:
            ray.shutdown()
            if attempt == ATTEMPTS:
                raise
        else:
            return


def refuse_unreachable(address: str) -> None:
    """Knock at a host before Ray does, which would wait for minutes."""
    if address in {"local", "auto"}:
        return
    parts = re.fullmatch(r"(?:ray://)?\[?([^/\[\]]+)\]?:(\d+)", address)
    if parts is None:
        raise unreachable(address, "expected local, auto, host:port or ray://host:port")
    try:
        socket.create_connection((parts[1], int(parts[2])), PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise unreachable(address, in_short(error)) from error


def unreachable(address: str, reason: str) -> ZooError:
    """Say which cluster is not there, and why."""
    return ZooError(f"no Ray cluster at {address!r} ({reason}); start one with: ray start --head")


def in_short(error: Exception) -> str:
    """Quote as much of an error as fits into another."""
    return shorten(str(error), 200, placeholder=" …")
