"""Resuming: finished shards stay, lost ones are trained again, and the zoo is the same."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from select import select
from typing import Any

import pytest

from tests.subprocesses import PATIENCE, run_zoogen, start_zoogen, wait_for
from tests.zoogen.build.test_zoo import contents
from zoogen import IntegrityError, Zoo, ZooError, ZooSpec, build_zoo, load_zoo
from zoogen.build import shard as shard_module
from zoogen.store.manifest import MANIFEST, read_manifest
from zoogen.store.shards import shard_name
from zoogen.store.table import part_path, read_part, write_table


def build_until(shard: int, spec: ZooSpec, folder: Path) -> None:
    """Build, and press Ctrl-C while the given shard trains."""
    train = shard_module.train_and_measure

    def interrupted(spec: ZooSpec, configs: Any, *arguments: Any, **options: Any) -> Any:
        if configs[0].model == shard * spec.models_per_shard:
            raise KeyboardInterrupt
        return train(spec, configs, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_module, "train_and_measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build_zoo(spec, folder, workers=1)


@pytest.fixture(scope="module")
def slow_zoo(own_zoo: Path) -> Path:
    """A zoo that trains slowly enough for a test to stop its build between two shards."""
    call = ("build", "own_zoo:SLOW", "--out", "slow", "--workers", 1)
    done = run_zoogen(*call, cwd=own_zoo.parent)
    assert done.returncode == 0, done.stderr
    return own_zoo.parent / "slow"


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_the_same_command_continues_a_killed_build_and_gives_the_same_zoo(
    slow_zoo: Path, tmp_path: Path, stop: signal.Signals, code: int
):
    call = ("build", "own_zoo:SLOW", "--out", tmp_path / "zoo", "--workers", 1)
    process = start_zoogen(*call, cwd=slow_zoo.parent)
    wait_for(part_path(tmp_path / "zoo", 1), process)
    os.killpg(process.pid, stop)
    _, said = process.communicate()
    assert process.returncode == code
    assert "Traceback" not in said
    assert ("the same command continues" in said) == (stop == signal.SIGINT)

    assert not (tmp_path / "zoo" / MANIFEST).exists()
    left = {name: file for name, file in contents(tmp_path / "zoo").items() if "/0" in name}
    assert {shard_name(0), shard_name(1)} <= set(left)
    done = run_zoogen(*call, cwd=slow_zoo.parent)
    assert done.returncode == 0, done.stderr
    now = contents(tmp_path / "zoo")
    assert all(now[shard_name(number)] == left[shard_name(number)] for number in (0, 1))
    assert read_manifest(tmp_path / "zoo") == read_manifest(slow_zoo)
    assert {name: blob for name, (_, blob) in now.items()} == {
        name: blob for name, (_, blob) in contents(slow_zoo).items()
    }


def test_a_build_killed_with_two_workers_can_be_resumed(tmp_path: Path):
    spec = "replace(zoo_spec('tetris-seed'), seeds=(1, 2, 3), epochs=1, models_per_shard=1)"
    module = f"from dataclasses import replace\nfrom zoogen import zoo_spec\nSPEC = {spec}\n"
    (tmp_path / "own_zoo.py").write_text(module)
    call = ("build", "own_zoo:SPEC", "--out")
    process = start_zoogen(*call, "killed", "--workers", 2, cwd=tmp_path)
    wait_for(part_path(tmp_path / "killed", 0), process)
    process.kill()
    process.communicate()
    assert not (tmp_path / "killed" / MANIFEST).exists()
    done = run_zoogen(*call, "killed", "--workers", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    zoo = load_zoo(tmp_path / "killed")
    assert len(list(zoo.verify())) == 1 + 3
    assert list(zoo.properties["model"]) == [0, 1, 2]


def test_two_builds_of_one_folder_take_turns(slow_zoo: Path, tmp_path: Path):
    call = ("build", "own_zoo:SLOW", "--out", tmp_path / "zoo", "--workers", 1)
    first = start_zoogen(*call, cwd=slow_zoo.parent)
    wait_for(part_path(tmp_path / "zoo", 0), first)
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        second = start_zoogen(*call, cwd=slow_zoo.parent)
        assert second.stderr is not None
        assert select([second.stderr], [], [], PATIENCE)[0]
        warning = second.stderr.readline()
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    (output, bar), (output_second, _) = first.communicate(), second.communicate()
    assert first.returncode == second.returncode == 0
    assert bar == ""
    assert "another process is writing" in warning
    assert output == output_second
    assert read_manifest(tmp_path / "zoo") == read_manifest(slow_zoo)
    assert len(list(load_zoo(tmp_path / "zoo").verify())) == 6


def test_an_interrupted_build_leaves_its_finished_shards(mixed_zoo: Zoo, tmp_path: Path):
    build_until(2, mixed_zoo.spec, tmp_path)
    left = contents(tmp_path)
    assert set(left) == {
        "weights/00000.safetensors",
        "weights/00001.safetensors",
        "parts/00000.parquet",
        "parts/00001.parquet",
    }
    assert build_zoo(mixed_zoo.spec, tmp_path, workers=1) == mixed_zoo.manifest
    now = contents(tmp_path)
    assert all(now[name] == left[name] for name in left if name.startswith("weights"))
    assert set(now) == set(contents(mixed_zoo.folder))


def test_a_build_with_more_models_keeps_the_full_shards_and_gives_the_same_zoo(
    mixed_zoo: Zoo, tmp_path: Path
):
    first = build_zoo(mixed_zoo.spec, tmp_path, models=70, workers=1)
    assert (first.models_built, first.models_planned) == (70, 192)
    before = contents(tmp_path)
    assert build_zoo(mixed_zoo.spec, tmp_path, workers=1) == mixed_zoo.manifest
    now = contents(tmp_path)
    assert now[shard_name(0)] == before[shard_name(0)]
    assert now[shard_name(1)] != before[shard_name(1)]
    assert {name: blob for name, (_, blob) in now.items()} == {
        name: blob for name, (_, blob) in contents(mixed_zoo.folder).items()
    }


def test_a_build_with_more_models_keeps_the_failures(mixed_spec: ZooSpec, tmp_path: Path):
    spec = replace(
        mixed_spec,
        activation=("relu",),
        initialiser=("uniform",),
        optimiser=("sgd",),
        learning_rate=(1e30, 1e-2),
        models_per_shard=6,
    )
    whole = build_zoo(spec, tmp_path / "whole", workers=1)
    assert len(build_zoo(spec, tmp_path / "grown", models=12, workers=1).failures) == 12
    assert build_zoo(spec, tmp_path / "grown", workers=1) == whole


@pytest.mark.parametrize("grow", [False, True])
def test_a_kill_while_a_zoo_is_reopened_loses_no_shard(
    mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grow: bool
):
    first = build_zoo(mixed_zoo.spec, tmp_path, models=128, workers=1)
    before = contents(tmp_path)
    unlink = Path.unlink

    def killed(path: Path, **options: Any) -> None:
        if path.name == MANIFEST:
            raise KeyboardInterrupt
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            build_zoo(mixed_zoo.spec, tmp_path, workers=1)
    assert read_manifest(tmp_path) == first
    again = build_zoo(mixed_zoo.spec, tmp_path, models=192 if grow else 128, workers=1)
    assert again == (mixed_zoo.manifest if grow else first)
    now = contents(tmp_path)
    assert all(now[shard_name(number)] == before[shard_name(number)] for number in (0, 1))


def test_a_build_with_fewer_models_keeps_finished_shards_for_later(mixed_zoo: Zoo, tmp_path: Path):
    build_until(2, mixed_zoo.spec, tmp_path)
    left = contents(tmp_path)[shard_name(1)]
    assert build_zoo(mixed_zoo.spec, tmp_path, models=64, workers=1).models_built == 64
    assert len(load_zoo(tmp_path).weights) == 128
    assert build_zoo(mixed_zoo.spec, tmp_path, workers=1) == mixed_zoo.manifest
    assert contents(tmp_path)[shard_name(1)] == left


@pytest.mark.parametrize(
    ("file", "trained"),
    [(shard_name(1), {shard_name(1)}), ("snapshots.parquet", {shard_name(n) for n in range(3)})],
)
@pytest.mark.parametrize("harm", ["altered", "truncated", "missing"])
def test_only_damaged_files_are_trained_again(
    mixed_zoo: Zoo, copied_zoo: Path, caplog: Any, file: str, harm: str, trained: set[str]
):
    before, path = contents(copied_zoo), copied_zoo / file
    blob = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(blob[:-4] if harm == "truncated" else blob[:-1] + bytes([blob[-1] ^ 1]))
    assert build_zoo(mixed_zoo.spec, copied_zoo, workers=1) == mixed_zoo.manifest
    assert file in caplog.text
    assert "training the lost models again" in caplog.text
    now = contents(copied_zoo)
    touched = {name for name in now if name.startswith("weights") and now[name] != before[name]}
    assert touched == trained
    assert path.read_bytes() == blob


def test_a_damaged_manifest_can_be_overwritten(copied_zoo: Path, mixed_zoo: Zoo):
    (copied_zoo / MANIFEST).write_text("{")
    with pytest.raises(IntegrityError, match="--overwrite"):
        build_zoo(mixed_zoo.spec, copied_zoo)
    assert build_zoo(mixed_zoo.spec, copied_zoo, workers=1, overwrite=True) == mixed_zoo.manifest


def test_a_shard_of_other_images_is_refused_without_overwrite(mixed_zoo: Zoo, tmp_path: Path):
    build_until(1, mixed_zoo.spec, tmp_path)
    rows, notes = read_part(part_path(tmp_path, 0))
    write_table(part_path(tmp_path, 0), rows, replace(notes, images_sha256="0" * 64))
    before = contents(tmp_path)
    with pytest.raises(ZooError, match=r"trained on other small images .* --overwrite"):
        build_zoo(mixed_zoo.spec, tmp_path, workers=1)
    assert contents(tmp_path) == before
    manifest = build_zoo(mixed_zoo.spec, tmp_path, workers=1, overwrite=True)
    assert manifest == mixed_zoo.manifest
    assert contents(tmp_path)[shard_name(0)] != before[shard_name(0)]


def test_parts_of_another_spec_are_refused(mixed_spec: ZooSpec, tmp_path: Path):
    build_until(1, mixed_spec, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(Exception, match="holds mixed with epochs 2, not 3"):
        build_zoo(replace(mixed_spec, epochs=3), tmp_path, workers=1)
    assert contents(tmp_path) == before


def test_half_written_files_of_a_killed_build_are_removed(copied_zoo: Path, mixed_spec: ZooSpec):
    before = contents(copied_zoo)
    for name in (".zoo.json.17", "weights/.00001.safetensors.17", "parts/.00001.parquet.17"):
        (copied_zoo / name).parent.mkdir(exist_ok=True)
        (copied_zoo / name).write_text("half")
    build_zoo(mixed_spec, copied_zoo)
    assert contents(copied_zoo) == before
