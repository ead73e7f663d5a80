"""Shards on many machines: a Ray cluster trains them, this machine writes them.

The machines share no file system: work and results pass through Ray's object store.
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

SAME_EVERYWHERE = ("zoobench", "torch", "numpy", "numba")
PATIENCE_SECONDS = 5
AGAIN = "run the same command again to continue"


@runtime_checkable
class RemoteJob(Protocol):
    """A picklable job with a picklable result, called once for every shard."""

    def __call__(self, number: int, *, device: str, report: Report) -> Any:
        """Do shard ``number`` on a torch device and report steps as they are done."""


class StepCounts:
    """Number of steps done of each shard; an actor of the cluster to which tasks post.

    Tasks post totals, so nothing is lost if the actor dies and restarts.
    """

    def __init__(self) -> None:
        self.posted: dict[int, int] = {}

    def post(self, number: int, steps: int) -> None:
        """Set the number of steps done of a shard."""
        self.posted[number] = steps

    def read(self) -> dict[int, int]:
        """Return the numbers posted since the last call."""
        posted, self.posted = self.posted, {}
        return posted


def run_on_cluster(
    job: RemoteJob,
    numbers: Sequence[int],
    write: Callable[[int, Any], None],
    *,
    address: str,
    device: str | None,
    tf32: bool = False,
    workers: int | None,
    report: Report,
) -> list[int]:
    """Do ``job`` for every shard on a Ray cluster and ``write`` each result in this process.

    This process holds one result at a time. The cluster holds at most two per processor, one in
    progress and one waiting to be written.

    Args:
        job: Job to do; it is sent to the cluster once.
        numbers: Numbers of the shards.
        write: Called with the number and the result of one shard after another.
        address: Address of the cluster, see ``ray_cluster``.
        device: ``cuda`` for one GPU per task, ``cpu`` for one core; by default GPUs if there are
            any.
        tf32: Whether ``job`` uses TF32, which only GPUs have.
        workers: Largest number of tasks at once; by default as many as the cluster can run.
        report: Called with the number of steps just done.

    Returns:
        Numbers of the shards given up because their workers died repeatedly.

    Raises:
        ZooError: If Ray is not installed, the cluster cannot be reached or lacks the device, its
            machines have other versions than this one, or ``job`` or ``write`` raises one.
    """
    backlog = Backlog(deque(numbers), report)
    with ray_cluster(address) as ray:
        kind = choose_processor(ray.cluster_resources(), device, address, tf32=tf32)
        task = ray.remote(max_retries=0, num_gpus=int(kind == "GPU"))(run_task)
        counts = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(StepCounts).remote()
        send = partial(
            task.remote,
            ray.put(job),
            device="cuda" if kind == "GPU" else "cpu",
            counts=counts,
            versions=versions(),
        )
        running, reading = dict[Any, int](), counts.read.remote()
        while backlog.waiting or running:
            most = workers or 2 * max(1, int(ray.cluster_resources().get(kind, 0)))
            while backlog.waiting and len(running) < most:
                number = backlog.waiting.popleft()
                running[send(number)] = number
            for ended in ray.wait(list(running), timeout=POLL_SECONDS)[0]:
                collect(ray, ended, running.pop(ended), backlog, write)
            if ray.wait([reading], timeout=0)[0]:
                for number, steps in ray.get(reading).items():
                    backlog.advance_to(number, steps)
                reading = counts.read.remote()
    return backlog.lost


def collect(
    ray: Any, ended: Any, number: int, backlog: Backlog, write: Callable[[int, Any], None]
) -> None:
    """Fetch and write the result of a task that has ended, or note that its worker died."""
    died = (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.LocalRayletDiedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.ObjectLostError,
    )
    try:
        steps, result = ray.get(ended)
    except died as error:
        backlog.lose_worker(number, type(error).__name__)
    except ray.exceptions.RayTaskError as error:
        raise original_error(error) from None
    else:
        write(number, result)
        backlog.advance_to(number, steps)


def original_error(error: Any) -> Exception:
    """Return the error that a task raised, or one that tells the user what is missing."""
    if isinstance(error.cause, ZooError):
        return error.cause
    missing = re.search(r"No module named '([^']+)'", str(error))
    if missing:
        return ZooError(
            f"a machine of the cluster has no module {missing[1]!r}: install zoobench "
            f"{version('zoobench')} on all of them, then {AGAIN}"
        )
    raised: Exception = error
    return raised


def run_task(
    job: RemoteJob, number: int, *, device: str, counts: Any, versions: dict[str, str]
) -> tuple[int, Any]:
    """Do one shard on a machine of the cluster; return its number of steps and its result."""
    refuse_other_versions(versions)
    steps = Steps(partial(counts.post.remote, number))
    result = job(number, device=device, report=steps)
    return steps.done, result


def versions() -> dict[str, str]:
    """Return the versions of the packages that affect a result, without build labels."""
    return {name: version_of(name).partition("+")[0] for name in SAME_EVERYWHERE}


def version_of(name: str) -> str:
    """Return the version of a package, or ``none`` if it is missing: Numba is optional."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def refuse_other_versions(expected: dict[str, str]) -> None:
    """Refuse to train with other versions than the machine that runs the build."""
    for name, found in versions().items():
        if found != expected[name]:
            raise ZooError(
                f"{socket.gethostname()} has {name} {found}, the machine that runs the build has "
                f"{expected[name]}; install the same version on all machines, then {AGAIN}"
            )


def check_processor(device: str | None, *, tf32: bool) -> None:
    """Refuse what no cluster offers: a GPU chosen by number, or TF32 on a core.

    Raises:
        ZooError: If no cluster offers the device; the message says what to use instead.
    """
    if device not in {None, "cpu", "cuda"}:
        raise ZooError(f"device {device!r} cannot be chosen on a cluster; expected cpu or cuda")
    if tf32 and device == "cpu":
        raise ZooError("device 'cpu' has no TF32; use --device cuda or leave out --tf32")


def choose_processor(
    offered: dict[str, float], device: str | None, address: str, *, tf32: bool = False
) -> str:
    """Return the resource that each task takes one of, as named by Ray: ``GPU`` or ``CPU``."""
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
    """Connect to a Ray cluster and yield Ray; at the end, stop the tasks that still run.

    Args:
        address: ``local`` for a cluster on this machine that ends with the build, ``auto`` for the
            cluster of this machine, ``host:port`` for the head of a cluster as seen from one of
            its machines, ``ray://host:port`` from elsewhere.

    Raises:
        ZooError: If Ray is not installed, there is no cluster, its versions of Ray and Python
            differ from those here, or it fails.

    Example:
        >>> import zoogen
        >>> with zoogen.ray_cluster("local") as ray:
        ...     cores = ray.cluster_resources()["CPU"]
        >>> cores >= 1
        True
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # by default Ray sends statistics
    extra_package("ray", "a cluster")
    import ray

    refuse_unreachable(address)
    # Ray prints long messages about dead workers; the backlog logs short ones.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            connect(ray, address)
        except (ImportError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            ray.shutdown()
            raise unreachable(address, shortened(error)) from error
        try:
            yield ray
        except ray.exceptions.RayTaskError:
            raise
        except (ConnectionError, ray.exceptions.RayError) as error:
            raise ZooError(
                f"the Ray cluster at {address} failed ({shortened(error)}); finished shards are "
                f"kept: {AGAIN}"
            ) from error
        finally:
            ray.shutdown()


def connect(ray: Any, address: str) -> None:
    """Connect to a cluster; try again if it is too busy to start a server for this client."""
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
    """Try to reach the host first, because Ray would wait for minutes."""
    if address in {"local", "auto"}:
        return
    parts = re.fullmatch(r"(?:ray://)?\[?([^/\[\]]+)\]?:(\d+)", address)
    if parts is None:
        raise unreachable(address, "expected local, auto, host:port or ray://host:port")
    try:
        socket.create_connection((parts[1], int(parts[2])), PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise unreachable(address, shortened(error)) from error


def unreachable(address: str, reason: str) -> ZooError:
    """Return the error for a cluster that cannot be reached."""
    return ZooError(f"no Ray cluster at {address!r} ({reason}); start one with: ray start --head")


def shortened(error: Exception) -> str:
    """Return the beginning of an error message, to quote it in another."""
    return shorten(str(error), 200, placeholder=" …")
