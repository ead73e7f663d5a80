"""Building: a model is the same wherever it trains and whatever trains beside it."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from zoogen import Zoo, ZooError, ZooSpec, build_zoo, load_zoo, tensors, zoo_spec
from zoogen.build.shard import find_failures, planned_models
from zoogen.device import one_thread
from zoogen.locks import LOCK
from zoogen.spec.configs import ModelConfig, model_configs
from zoogen.train.snapshots import Snapshots

PLACE = ["shard", "row", "split", "group", "model"]


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time and bytes of every file in a folder except the lock, by name."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name != LOCK
    }


def assert_same_models(one: Zoo, two: Zoo) -> None:
    """Compare every weight and every measurement of two zoos, bit for bit, model by model."""
    tables = [zoo.properties.sort_values(["model", "epoch"]) for zoo in (one, two)]
    weights = [
        zoo.weights[rows.index.to_numpy()] for zoo, rows in zip((one, two), tables, strict=True)
    ]
    assert weights[0].tobytes() == weights[1].tobytes()
    for column in tables[0].columns.difference(PLACE):
        assert (tables[0][column].to_numpy() == tables[1][column].to_numpy()).all(), column


@pytest.mark.parametrize("models_per_shard", [7, 33, 192])
def test_the_size_of_the_shards_changes_no_bit(
    mixed_zoo: Zoo, tmp_path: Path, models_per_shard: int
):
    spec = replace(mixed_zoo.spec, models_per_shard=models_per_shard)
    models = 61 if models_per_shard < 60 else None
    build_zoo(spec, tmp_path / "zoo", models=models, workers=1)
    other, built = load_zoo(tmp_path / "zoo"), mixed_zoo.properties["model"] < (models or 192)
    whole = Zoo(mixed_zoo.folder, mixed_zoo.manifest, mixed_zoo.weights)
    whole.__dict__["properties"] = mixed_zoo.properties[built]
    assert_same_models(other, whole)


def test_the_number_of_workers_changes_no_byte(tmp_path: Path):
    spec = replace(
        zoo_spec("tetris-hyp"),
        initialiser=("uniform", "xavier_normal"),
        learning_rate=(1e-3,),
        seeds=(1, 2),
        epochs=1,
        models_per_shard=5,
    )
    one, two = (build_zoo(spec, tmp_path / f"{workers}", workers=workers) for workers in (1, 2))
    assert one == two
    assert one.content_sha256 == two.content_sha256


def test_the_manifest_says_what_was_built(mixed_zoo: Zoo):
    manifest = mixed_zoo.manifest
    assert manifest.spec == mixed_zoo.spec
    assert manifest.models_built == manifest.models_planned == 192
    assert [shard.rows for shard in manifest.shards] == [128, 128, 128]
    assert manifest.table.rows == 384
    assert manifest.failures == ()


def test_a_finished_folder_holds_only_the_files_of_a_zoo(mixed_zoo: Zoo):
    shard_files = {f"weights/{number:05d}.safetensors" for number in range(3)}
    assert set(contents(mixed_zoo.folder)) == shard_files | {
        "zoo.json",
        "snapshots.parquet",
        "README.md",
    }


def test_a_finished_zoo_is_not_changed(copied_zoo: Path, mixed_spec: ZooSpec):
    before = contents(copied_zoo)
    for models in (None, 1, mixed_spec.models):
        assert build_zoo(mixed_spec, copied_zoo, models=models).models_built == 192
    assert contents(copied_zoo) == before


def test_overwriting_replaces_a_zoo_of_another_spec(copied_zoo: Path, mixed_spec: ZooSpec):
    spec = replace(mixed_spec, epochs=1)
    with pytest.raises(ZooError, match=r"with epochs 2, not 1; .*--out.*--overwrite"):
        build_zoo(spec, copied_zoo, models=3, workers=1)
    build_zoo(spec, copied_zoo, models=3, workers=1, overwrite=True)
    assert load_zoo(copied_zoo).weights.shape == (3, 109)
    assert set(contents(copied_zoo)) == {
        "weights/00000.safetensors",
        "zoo.json",
        "snapshots.parquet",
        "README.md",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("version", 2), ("seeds", (1, 2, 4)), ("learning_rate", (0.5,)), ("name", "other")],
)
def test_another_spec_is_refused_by_the_field_that_differs(
    copied_zoo: Path, mixed_spec: ZooSpec, field: str, value: Any
):
    before = contents(copied_zoo)
    with pytest.raises(ZooError, match=f"holds mixed with {field} "):
        build_zoo(replace(mixed_spec, **{field: value}), copied_zoo)
    assert contents(copied_zoo) == before


def test_a_long_axis_is_shortened_in_the_message(tmp_path: Path, mixed_spec: ZooSpec):
    build_zoo(mixed_spec, tmp_path, models=1, workers=1)
    with pytest.raises(ZooError) as raised:
        build_zoo(replace(mixed_spec, seeds=tuple(range(10_000))), tmp_path)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "names", [["thesis.tex"], ["weights/best.pt", "README.md"], [".notes.1"], ["snapshots.parquet"]]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_refused_and_not_changed(
    tmp_path: Path, mixed_spec: ZooSpec, names: list[str], overwrite: bool
):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("precious")
    before = contents(tmp_path)
    with pytest.raises(ZooError, match=r"is not a zoo's folder: it holds .*; choose another"):
        build_zoo(mixed_spec, tmp_path, overwrite=overwrite)
    assert contents(tmp_path) == before
    assert not (tmp_path / LOCK).exists()


def test_a_foreign_file_in_a_zoo_is_refused(copied_zoo: Path, mixed_spec: ZooSpec):
    (copied_zoo / "thesis.tex").write_text("precious")
    with pytest.raises(ZooError, match=r"it holds thesis\.tex"):
        build_zoo(mixed_spec, copied_zoo, overwrite=True)
    assert (copied_zoo / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("models", [-1, 0, 193])
def test_a_number_of_models_the_zoo_does_not_have_is_refused(
    tmp_path: Path, mixed_spec: ZooSpec, models: int
):
    with pytest.raises(ZooError, match=f"{models} models asked for, mixed has 1 to 192"):
        build_zoo(mixed_spec, tmp_path / "zoo", models=models)
    assert not (tmp_path / "zoo").exists()


def test_zero_workers_are_refused(tmp_path: Path, mixed_spec: ZooSpec):
    with pytest.raises(ZooError, match="0 workers asked for, expected 1 or more"):
        build_zoo(mixed_spec, tmp_path / "zoo", workers=0)


@pytest.mark.parametrize("device", ["cuda:77", "nonsense", "meta", "hpu", ""])
def test_the_message_for_a_missing_device_lists_the_available_ones(
    tmp_path: Path, mixed_spec: ZooSpec, device: str
):
    with pytest.raises(ZooError, match=rf"device '{device}' cannot be used .*; available: cpu"):
        build_zoo(mixed_spec, tmp_path / "zoo", device=device)
    assert not (tmp_path / "zoo").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, mixed_spec: ZooSpec):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "zoo", Path("/proc/zoo")):
        with pytest.raises(ZooError, match=rf"cannot write to {folder}: .*--out"):
            build_zoo(mixed_spec, folder)


def test_a_build_on_a_disk_that_fills_up_keeps_the_finished_shards(
    tmp_path: Path, mixed_spec: ZooSpec, monkeypatch: pytest.MonkeyPatch
):
    written: list[Path] = []
    save = safetensors.numpy.save_file

    def fill_up(tensors: Any, path: Path, **options: Any) -> None:
        if len(written) == 2:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        save(tensors, path, **options)

    monkeypatch.setattr(tensors, "save_file", fill_up)
    with pytest.raises(ZooError, match=r"cannot write .*00002\.safetensors: No space left"):
        build_zoo(mixed_spec, tmp_path, workers=1)
    left = contents(tmp_path)
    assert set(left) == {
        f"{kind}.{ending}"
        for kind, ending in (
            ("weights/00000", "safetensors"),
            ("weights/00001", "safetensors"),
            ("parts/00000", "parquet"),
            ("parts/00001", "parquet"),
        )
    }
    monkeypatch.setattr(tensors, "save_file", save)
    build_zoo(mixed_spec, tmp_path, workers=1)
    now = contents(tmp_path)
    assert all(now[name] == left[name] for name in left if name.startswith("weights"))


@pytest.fixture(scope="module")
def failing_spec(mixed_spec: ZooSpec) -> ZooSpec:
    """A spec of twelve models that train and twelve that diverge."""
    return replace(
        mixed_spec,
        activation=("relu", "gelu"),
        initialiser=("uniform",),
        optimiser=("sgd",),
        learning_rate=(1e-2, 1e30),
        dropout=(0.0,),
        models_per_shard=9,
    )


def test_models_that_diverge_are_named_and_do_not_change_the_others(
    failing_spec: ZooSpec, tmp_path: Path
):
    manifest = build_zoo(failing_spec, tmp_path / "all", workers=1)
    failing = [config.model for config in model_configs(failing_spec) if config.learning_rate > 1]
    assert [failure.model for failure in manifest.failures] == failing
    assert {failure.epoch for failure in manifest.failures} == {1}
    assert all("not finite" in failure.reason for failure in manifest.failures)
    assert manifest.models_built == manifest.models_planned == 24

    zoo = load_zoo(tmp_path / "all")
    assert len(zoo.weights) == len(zoo.properties) == manifest.table.rows == 12 * 2
    assert not zoo.properties["model"].isin(failing).any()
    assert np.isfinite(np.asarray(zoo.weights)).all()
    assert np.isfinite(zoo.properties.select_dtypes("number")).all(axis=None)

    build_zoo(replace(failing_spec, learning_rate=(1e-2,)), tmp_path / "good", workers=1)
    good = load_zoo(tmp_path / "good")
    assert np.asarray(zoo.weights).tobytes() == np.asarray(good.weights).tobytes()
    for column in zoo.properties.columns.difference(PLACE):
        assert (zoo.properties[column] == good.properties[column]).all()


def test_all_models_of_a_shard_or_of_a_zoo_may_fail(failing_spec: ZooSpec, tmp_path: Path):
    spec = replace(failing_spec, models_per_shard=3, weight_decay=(0.0,))
    build_zoo(spec, tmp_path / "half", workers=1)
    half = load_zoo(tmp_path / "half")
    assert [shard.rows for shard in half.manifest.shards] == [6, 0, 6, 0]
    assert len(half.properties) == len(half.weights) == 12
    hopeless = replace(spec, learning_rate=(1e30,))
    assert len(build_zoo(hopeless, tmp_path / "none", workers=1).failures) == 6
    none = load_zoo(tmp_path / "none")
    assert none.weights.shape == (0, 109)
    assert len(none.properties) == 0


def test_a_failure_names_its_first_snapshot_and_cause(mixed_spec: ZooSpec):
    configs: list[ModelConfig] = list(model_configs(mixed_spec)[:4])
    weights = np.zeros((4, 3, 5), np.float32)
    loss = np.zeros((4, 3))
    weights[1, 1, 4] = np.nan
    loss[1, 2] = np.nan
    weights[3, 2, 0] = np.inf
    loss[3, 1:] = np.inf
    spec = replace(mixed_spec, snapshot_epochs=(0, 1, 2))
    found = find_failures(spec, configs, Snapshots(weights, {"train_loss": loss}))
    assert [(failure.model, failure.epoch, failure.reason) for failure in found] == [
        (1, 1, "weights not finite"),
        (3, 1, "train_loss not finite"),
    ]


def test_the_table_of_models_is_made_once_per_process(mixed_spec: ZooSpec):
    assert planned_models(mixed_spec) is planned_models(replace(mixed_spec))


def test_building_restores_the_callers_number_of_threads(tmp_path: Path, mixed_spec: ZooSpec):
    import torch

    before = torch.get_num_threads()
    build_zoo(replace(mixed_spec, epochs=1), tmp_path, models=1, workers=1)
    assert torch.get_num_threads() == before
    with pytest.raises(RuntimeError), one_thread():
        raise RuntimeError
    assert torch.get_num_threads() == before
