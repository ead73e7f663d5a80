"""Worker processes: a death costs one shard, a hopeless shard is given up, an error stops all."""

import multiprocessing
import os
import signal
from collections import deque
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loky.process_executor import TerminatedWorkerError

from tests.dying import ALWAYS, VICTIM, begun, count, fail, processes, train_fatally
from tests.zoogen.build.test_zoo import contents
from zoogen import Zoo, ZooError, build_zoo
from zoogen.build import zoo as build
from zoogen.build.workers import ATTEMPTS, Backlog, Worker, run_jobs
from zoogen.store.manifest import MANIFEST


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder, by name."""
    return {name: blob for name, (_, blob) in contents(folder).items()}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_step_of_every_shard_is_reported(tmp_path: Path, workers: int):
    reported: list[int] = []
    job = partial(count, steps=7, place=tmp_path, times=0)
    assert run_jobs(job, range(5), workers=workers, report=reported.append) == []
    assert sum(reported) == 5 * 7
    assert begun(tmp_path) == dict.fromkeys(range(5), 1)
    assert len(processes(tmp_path)) <= workers


def test_a_death_costs_one_shard_and_one_process(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    reported: list[int] = []
    job = partial(count, steps=7, place=tmp_path, times=1)
    assert run_jobs(job, range(5), workers=2, report=reported.append) == []
    assert sum(reported) == 5 * 7
    assert begun(tmp_path) == {**dict.fromkeys(range(5), 1), VICTIM: 2}
    assert len(processes(tmp_path)) <= 3
    (message,) = caplog.messages
    assert message == f"the worker on shard {VICTIM} died (SIGKILL(-9)); it will be tried again"


def test_a_worker_that_died_idle_is_replaced(tmp_path: Path):
    worker = Worker(partial(count, steps=7, place=tmp_path, times=0))
    assert worker.begin(0).result() == 7
    (process,) = processes(tmp_path)
    os.kill(int(process), signal.SIGKILL)
    steps = None
    while steps is None:
        with suppress(TerminatedWorkerError):  # until the pool has noticed
            steps = worker.begin(1).result()
    worker.stop()
    assert steps == 7
    assert len(processes(tmp_path)) == 2


def test_a_zoo_is_the_same_if_a_worker_dies_in_the_middle_of_a_shard(
    mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "begun").mkdir()
    how = {"place": tmp_path / "begun", "times": 1}
    monkeypatch.setattr(build, "train_one", partial(train_fatally, how=how))
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", workers=2)
    assert begun(tmp_path / "begun") == {0: 1, VICTIM: 2, 2: 1}
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_a_shard_that_kills_every_worker_is_named_and_the_others_are_finished(
    mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "begun").mkdir()
    how = {"place": tmp_path / "begun", "times": ALWAYS}
    with monkeypatch.context() as patch:
        patch.setattr(build, "train_one", partial(train_fatally, how=how))
        with pytest.raises(
            ZooError,
            match=r"mixed lacks 1 of 3 shards \(1; models 64–127\): .*run the same command again",
        ):
            build_zoo(mixed_zoo.spec, tmp_path / "zoo", workers=2)
    assert begun(tmp_path / "begun") == {0: 1, VICTIM: ATTEMPTS, 2: 1}
    left = contents(tmp_path / "zoo")
    assert MANIFEST not in left
    assert sum(name.startswith("parts/") for name in left) == 2
    build_zoo(mixed_zoo.spec, tmp_path / "zoo", workers=1)
    now = contents(tmp_path / "zoo")
    assert all(now[name] == left[name] for name in left if name.startswith("weights"))
    assert bytes_of(tmp_path / "zoo") == bytes_of(mixed_zoo.folder)


def test_an_error_in_a_job_stops_all_workers(tmp_path: Path):
    with pytest.raises(ZooError, match="no space left"):
        run_jobs(partial(fail, place=tmp_path), range(3), workers=2, report=lambda _: None)
    assert {file.name for file in tmp_path.iterdir()} == {"0", "1"}
    assert not [child for child in multiprocessing.active_children() if "Loky" in child.name]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100))))
def test_repeated_steps_are_reported_once(posts: list[tuple[int, int]]):
    reported: list[int] = []
    backlog = Backlog(deque(range(4)), reported.append)
    for number, steps in posts:
        backlog.advance_to(number, steps)
    furthest = {number: max(s for n, s in posts if n == number) for number, _ in posts}
    assert sum(reported) == sum(furthest.values())
    assert all(steps > 0 for steps in reported)
