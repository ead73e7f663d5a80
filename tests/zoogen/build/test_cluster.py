"""A cluster builds the same zoo as one machine, even if workers or machines die."""

import errno
import os
import signal
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.dying import ALWAYS, VICTIM, begun, train_fatally, wait_for_file
from tests.zoogen.build.test_workers import bytes_of
from tests.zoogen.build.test_zoo import contents
from zoogen import Zoo, ZooError, ZooSpec, build_zoo, tensors
from zoogen.build import cluster
from zoogen.build import zoo as build
from zoogen.build.cluster import RemoteJob, choose_processor, run_on_cluster, versions
from zoogen.build.workers import ATTEMPTS
from zoogen.progress import Report
from zoogen.store.manifest import MANIFEST
from zoogen.store.table import part_path


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder in which workers note the shards they begin."""
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def kill_workers(monkeypatch: pytest.MonkeyPatch, **how: Any) -> None:
    """Make the next build lose workers."""
    monkeypatch.setattr(build, "train_one", partial(train_fatally, how=how))


def run(
    job: RemoteJob,
    shards: int,
    write: Callable[[int, Any], None] = lambda *_: None,
    *,
    address: str,
    device: str | None = None,
    workers: int | None = None,
) -> int:
    """Do a job for ``shards`` shards, none of which may fail; return the number of its steps."""
    reported: list[int] = []
    lost = run_on_cluster(
        job,
        range(shards),
        write,
        address=address,
        device=device,
        workers=workers,
        report=reported.append,
    )
    assert lost == []
    return sum(reported)


def square(number: int, *, device: str, report: Report) -> int:
    """Square a number in three steps."""
    report(3)
    return number**2


def test_a_zoo_is_the_same_if_a_worker_dies_in_the_middle_of_a_shard(
    mixed_zoo: Zoo,
    tmp_path: Path,
    notes: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    kill_workers(monkeypatch, place=notes, times=1)
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert begun(notes) == {0: 1, VICTIM: 2, 2: 1}
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)
    death = f"the worker on shard {VICTIM} died (WorkerCrashedError); it will be tried again"
    assert caplog.messages == [death]
    assert capfd.readouterr() == ("", "")


def test_a_zoo_is_the_same_if_a_machine_dies_in_the_middle_of_a_shard(
    mixed_zoo: Zoo,
    tmp_path: Path,
    notes: Path,
    machines: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    machines.add_node(num_cpus=1)
    busy = tmp_path / "machine"

    def name_the_machine_and_wait() -> None:
        import ray

        busy.with_suffix(".half").write_text(ray.get_runtime_context().get_node_id())
        busy.with_suffix(".half").rename(busy)
        sleep(600)

    def remove_the_machine() -> None:
        wait_for_file(busy)
        (machine,) = (one for one in machines.worker_nodes if one.node_id == busy.read_text())
        machines.remove_node(machine, allow_graceful=False)

    kill_workers(monkeypatch, place=notes, times=1, end=name_the_machine_and_wait)
    with ThreadPoolExecutor(1) as pool:
        removal = pool.submit(remove_the_machine)
        build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=machines.address)
        removal.result()
    assert begun(notes) == {0: 1, VICTIM: 2, 2: 1}
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_a_cluster_seen_from_outside_builds_the_same_zoo(
    mixed_zoo: Zoo, tmp_path: Path, machines: Any, client_port: int
):
    build_zoo(mixed_zoo.spec, tmp_path, cluster=f"ray://127.0.0.1:{client_port}")
    assert bytes_of(tmp_path) == bytes_of(mixed_zoo.folder)


def test_a_zoo_begun_with_kernels_continues_on_the_cores_of_a_cluster_with_gpus(
    mixed_zoo: Zoo, tmp_path: Path, machines: Any
):
    build_zoo(mixed_zoo.spec, tmp_path, models=64, workers=1)
    machine = machines.add_node(num_cpus=1, num_gpus=1)
    build_zoo(mixed_zoo.spec, tmp_path, cluster=machines.address)
    machines.remove_node(machine)
    assert bytes_of(tmp_path) == bytes_of(mixed_zoo.folder)


def test_a_shard_that_kills_every_worker_is_named_and_the_others_are_finished(
    mixed_zoo: Zoo, tmp_path: Path, notes: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    kill_workers(monkeypatch, place=notes, times=ALWAYS)
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

    kill_workers(monkeypatch, place=notes, times=1, end=press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert finished.exists()
    assert not part_path(tmp_path / "zoo", VICTIM).exists()
    monkeypatch.undo()
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", cluster=address)
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_a_build_on_a_disk_that_fills_up_ends_and_keeps_the_finished_shards(
    mixed_zoo: Zoo, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    save = tensors.save_file

    def fill_up(tensors: Any, path: Path, **options: Any) -> None:
        if list(tmp_path.glob("parts/*")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(tensors, path, **options)

    monkeypatch.setattr(tensors, "save_file", fill_up)
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
    with pytest.raises(ZooError, match=r"torch \d.*, the machine that runs the build has 1\.0"):
        build_zoo(mixed_spec, tmp_path, cluster=address)


def test_the_message_for_a_machine_without_zoogen_says_what_to_install(
    address: str, monkeypatch: pytest.MonkeyPatch
):
    only_here = types.ModuleType("only_here")
    exec("def job(number, *, device, report): ...", vars(only_here))
    monkeypatch.setitem(sys.modules, "only_here", only_here)
    with pytest.raises(ZooError, match=r"no module 'only_here': install zoobench \d"):
        run(only_here.job, 1, address=address)


def test_an_error_in_a_job_has_its_traceback(address: str):
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


def test_a_cluster_with_another_version_of_ray_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
):
    import ray

    monkeypatch.setattr(ray, "__version__", "1.0")
    with pytest.raises(ZooError, match=r"no Ray cluster at .*[Vv]ersion mismatch"):
        run(square, 1, address=address)


@pytest.mark.parametrize(("workers", "most"), [(None, 4), (1, 1)])
def test_few_results_wait_to_be_written_however_many_shards_there_are(
    notes: Path, address: str, workers: int | None, most: int
):
    written: dict[int, int] = {}
    ahead: list[int] = []

    def job(number: int, *, device: str, report: Report) -> int:
        (notes / str(number)).touch()
        return square(number, device=device, report=report)

    def write(number: int, result: int) -> None:
        sleep(0.1)
        ahead.append(len(list(notes.iterdir())) - len(written))
        written[number] = result

    reported = run(job, 20, write, address=address, workers=workers)
    assert written == {number: number**2 for number in range(20)}
    assert max(ahead) <= most
    assert reported == 20 * 3


def test_each_task_takes_a_gpu_if_there_are_any(machines: Any):
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


def test_tf32_takes_gpus_and_is_refused_without_them(
    mixed_spec: ZooSpec, tmp_path: Path, address: str
):
    assert choose_processor({"CPU": 8.0, "GPU": 2.0}, None, "auto", tf32=True) == "GPU"
    with pytest.raises(ZooError, match=r"offers no GPU, which TF32 needs; it has 2 CPU and 0 GPU"):
        build_zoo(mixed_spec, tmp_path / "zoo", cluster=address, tf32=True)
    assert contents(tmp_path) == {}
