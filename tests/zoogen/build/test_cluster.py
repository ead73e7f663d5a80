"""A cluster builds the zoo that one machine builds, whatever dies on the way."""

import errno
import os
import re
import signal
import socket
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.dying import ALWAYS, VICTIM, begun, train_fatally, wait_for_file
from tests.zoogen.build.test_workers import bytes_of
from tests.zoogen.build.test_zoo import contents
from zoogen import Zoo, ZooError, ZooSpec, build_zoo
from zoogen.build import cluster
from zoogen.build import zoo as build
from zoogen.build.cluster import RemoteJob, processor, run_on_cluster, versions
from zoogen.build.workers import ATTEMPTS
from zoogen.progress import Report
from zoogen.store import shards
from zoogen.store.manifest import MANIFEST
from zoogen.store.table import part_path

# Ray keeps to 127.0.0.1 and asks for no token, which would lie in the user's home.
QUIET = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def ray_to_itself() -> Iterator[None]:
    """Give Ray a folder of its own; the paths of its sockets must be short."""
    short = tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True)
    with pytest.MonkeyPatch.context() as patch, short as place:
        for name, value in {**QUIET, "RAY_TMPDIR": place}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def client_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def machines(ray_to_itself: None, client_port: int) -> Iterator[Any]:
    """A Ray cluster: a head that only leads, and two machines of one core each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": client_port}
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # Ray's own log files
        together = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        together.add_node(num_cpus=1)
    yield together
    together.shutdown()


@pytest.fixture
def address(machines: Any) -> str:
    return str(machines.address)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where workers note which shards they begin."""
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def fatally(monkeypatch: pytest.MonkeyPatch, **how: Any) -> None:
    """Let the next build lose workers."""
    monkeypatch.setattr(build, "train_one", partial(train_fatally, how=how))


def run(
    job: RemoteJob,
    shards: int,
    keep: Callable[[int, Any], None] = lambda *_: None,
    *,
    address: str,
    device: str | None = None,
    workers: int | None = None,
) -> int:
    """Do a job of so many shards, all of which must succeed; return the number of its steps."""
    reported: list[int] = []
    lost = run_on_cluster(
        job,
        range(shards),
        keep,
        address=address,
        device=device,
        workers=workers,
        report=reported.append,
    )
    assert lost == []
    return sum(reported)


def square(number: int, *, device: str, report: Report) -> int:
    """The shortest of jobs, of three steps."""
    report(3)
    return number**2


def test_a_zoo_is_the_same_though_a_worker_dies_in_the_middle_of_a_shard(
    mixed_zoo: Zoo,
    tmp_path: Path,
    notes: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    fatally(monkeypatch, place=notes, times=1)
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert begun(notes) == {0: 1, VICTIM: 2, 2: 1}
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)
    (said,) = caplog.messages
    assert said == f"the worker on shard {VICTIM} died (WorkerCrashedError); it will be tried again"
    assert capfd.readouterr() == ("", "")


def test_a_zoo_is_the_same_though_a_machine_dies_in_the_middle_of_a_shard(
    mixed_zoo: Zoo,
    tmp_path: Path,
    notes: Path,
    machines: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    machines.add_node(num_cpus=1)
    last_will = tmp_path / "machine"

    def name_the_machine_and_wait() -> None:
        import ray

        last_will.with_suffix(".half").write_text(ray.get_runtime_context().get_node_id())
        last_will.with_suffix(".half").rename(last_will)
        sleep(600)

    def pull_the_plug() -> None:
        wait_for_file(last_will)
        (machine,) = (one for one in machines.worker_nodes if one.node_id == last_will.read_text())
        machines.remove_node(machine, allow_graceful=False)

    fatally(monkeypatch, place=notes, times=1, end=name_the_machine_and_wait)
    with ThreadPoolExecutor(1) as hand:
        unplugged = hand.submit(pull_the_plug)
        build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=machines.address)
        unplugged.result()
    assert begun(notes) == {0: 1, VICTIM: 2, 2: 1}
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_a_cluster_seen_from_outside_builds_the_same_zoo(
    mixed_zoo: Zoo, tmp_path: Path, machines: Any, client_port: int
):
    build_zoo(mixed_zoo.spec, tmp_path, cluster=f"ray://127.0.0.1:{client_port}")
    assert bytes_of(tmp_path) == bytes_of(mixed_zoo.folder)


def test_a_zoo_begun_with_kernels_goes_on_on_the_cores_of_a_cluster_with_gpus(
    mixed_zoo: Zoo, tmp_path: Path, machines: Any
):
    build_zoo(mixed_zoo.spec, tmp_path, models=64, workers=1)
    machine = machines.add_node(num_cpus=1, num_gpus=1)
    build_zoo(mixed_zoo.spec, tmp_path, cluster=machines.address)
    machines.remove_node(machine)
    assert bytes_of(tmp_path) == bytes_of(mixed_zoo.folder)


def test_a_shard_that_kills_its_worker_again_and_again_is_named_and_the_others_are_finished(
    mixed_zoo: Zoo, tmp_path: Path, notes: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    fatally(monkeypatch, place=notes, times=ALWAYS)
    with pytest.raises(ZooError, match=r"mixed lacks 1 of 3 shards \(1; models 64–127\)"):
        build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert begun(notes) == {0: 1, VICTIM: ATTEMPTS, 2: 1}
    left = contents(tmp_path / "zoo")
    assert MANIFEST not in left
    monkeypatch.undo()
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", workers=1)
    now = contents(tmp_path / "zoo")
    assert all(now[name] == left[name] for name in left if name.startswith("weights"))
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_ctrl_c_keeps_the_finished_shards_and_stops_the_others(
    mixed_zoo: Zoo, tmp_path: Path, notes: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    builder, finished = os.getpid(), part_path(tmp_path / "zoo", 0)

    def press_ctrl_c() -> None:
        wait_for_file(finished)
        os.kill(builder, signal.SIGINT)
        sleep(600)

    fatally(monkeypatch, place=notes, times=1, end=press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert finished.exists()
    assert not part_path(tmp_path / "zoo", VICTIM).exists()
    monkeypatch.undo()
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_a_disk_that_fills_up_ends_the_build_and_keeps_the_finished_shards(
    mixed_zoo: Zoo, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    save = shards.save_file

    def fill_up(tensors: Any, path: Path, **options: Any) -> None:
        if list(tmp_path.glob("parts/*")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(tensors, path, **options)

    monkeypatch.setattr(shards, "save_file", fill_up)
    with pytest.raises(ZooError, match=r"cannot write .*safetensors: No space left"):
        build_zoo(mixed_zoo.spec, tmp_path, cluster=address)
    assert len(contents(tmp_path)) == 2
    monkeypatch.undo()
    build_zoo(mixed_zoo.spec, tmp_path, workers=1)
    assert bytes_of(tmp_path) == bytes_of(mixed_zoo.folder)


def test_machines_with_other_versions_are_refused(
    mixed_spec: ZooSpec, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cluster, "versions", lambda: {**versions(), "torch": "1.0"})
    with pytest.raises(ZooError, match=r"has torch \d.*, the machine that builds has 1\.0"):
        build_zoo(mixed_spec, tmp_path, cluster=address)


def test_a_machine_without_zoogen_is_told_what_to_install(
    address: str, monkeypatch: pytest.MonkeyPatch
):
    here_alone = types.ModuleType("here_alone")
    exec("def job(number, *, device, report): ...", vars(here_alone))
    monkeypatch.setitem(sys.modules, "here_alone", here_alone)
    with pytest.raises(ZooError, match=r"no module 'here_alone': install zoobench \d"):
        run(here_alone.job, 1, address=address)


def test_what_a_job_raises_comes_with_the_place_it_was_raised_at(address: str):
    def job(number: int, *, device: str, report: Report) -> None:
        raise ArithmeticError("too much")

    with pytest.raises(ArithmeticError, match="too much") as raised:
        run(job, 1, address=address)
    assert Path(__file__).name in str(raised.value)


def test_a_cluster_that_fails_is_named(address: str):
    from ray.exceptions import ObjectStoreFullError

    def fail(number: int, result: int) -> None:
        raise ObjectStoreFullError("too many images")

    with pytest.raises(ZooError, match=rf"cluster at {address} failed \(too many images"):
        run(square, 1, fail, address=address)


def test_another_version_of_ray_is_no_cluster_for_us(address: str, monkeypatch: pytest.MonkeyPatch):
    import ray

    monkeypatch.setattr(ray, "__version__", "1.0")
    with pytest.raises(ZooError, match=r"no Ray cluster at .*[Vv]ersion mismatch"):
        run(square, 1, address=address)


@pytest.mark.parametrize(("workers", "most"), [(None, 4), (1, 1)])
def test_results_do_not_pile_up_however_many_shards_there_are(
    notes: Path, address: str, workers: int | None, most: int
):
    kept: dict[int, int] = {}
    ahead: list[int] = []

    def job(number: int, *, device: str, report: Report) -> int:
        (notes / str(number)).touch()
        return square(number, device=device, report=report)

    def keep(number: int, result: int) -> None:
        sleep(0.1)
        ahead.append(len(list(notes.iterdir())) - len(kept))
        kept[number] = result

    reported = run(job, 20, keep, address=address, workers=workers)
    assert kept == {number: number**2 for number in range(20)}
    assert max(ahead) <= most
    assert reported == 20 * 3


def test_a_gpu_goes_to_each_task_where_there_are_some(machines: Any):
    machine = machines.add_node(num_cpus=2, num_gpus=2)

    def job(number: int, *, device: str, report: Report) -> tuple[str, int]:
        import ray

        return device, len(ray.get_gpu_ids())

    def found(device: str | None) -> set[tuple[str, int]]:
        results: dict[int, tuple[str, int]] = {}
        run(job, 3, results.__setitem__, address=machines.address, device=device)
        return set(results.values())

    assert found(None) == {("cuda", 1)}
    assert found("cpu") == {("cpu", 0)}
    machines.remove_node(machine)


def test_tf32_is_for_gpus_and_refused_where_tasks_would_take_cores(
    mixed_spec: ZooSpec, tmp_path: Path, address: str
):
    assert processor({"CPU": 8.0, "GPU": 2.0}, None, "auto", tf32=True) == "GPU"
    with pytest.raises(ZooError, match=r"offers no GPU, which TF32 needs; it has 2 CPU and 0 GPU"):
        build_zoo(mixed_spec, tmp_path / "zoo", cluster=address, tf32=True)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "refused"),
        ("ray://127.0.0.1:1", "refused"),
        ("[::1]:1", ""),
        ("nonsense", "expected local, auto, host:port or ray://host:port"),
        ("http://127.0.0.1:1", "expected local"),
        ("", "expected local"),
    ],
)
def test_a_cluster_that_is_not_there_is_named(
    mixed_spec: ZooSpec, tmp_path: Path, address: str, reason: str
):
    with pytest.raises(ZooError, match=rf"no Ray cluster at '{re.escape(address)}' \(.*{reason}"):
        build_zoo(mixed_spec, tmp_path, cluster=address)
