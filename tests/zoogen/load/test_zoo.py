"""A loaded zoo is the stored one: every row is right, nothing is copied or guessed."""

import json
import pickle
import shutil
from dataclasses import replace
from inspect import unwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.zoogen.build.test_zoo import contents
from tests.zoogen.store.test_manifest import edit
from zoogen import SPLITS, ZOOS, IntegrityError, UnknownNameError, Zoo, ZooError, load_zoo
from zoogen.images.sets import load_images
from zoogen.load import locate as loading
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name

every_built_zoo = pytest.mark.parametrize("name", ["seed_zoo", "hyp_zoo", "mixed_zoo", "cnn_zoo"])


def sampled_rows(zoo: Zoo, rows: int = 40) -> list[int]:
    """Draw rows of every shard and activation, with the first and the last of each shard."""
    table = zoo.properties
    ends = table.groupby("shard").apply(lambda shard: pd.Series(shard.index[[0, -1]])).to_numpy()
    random = np.random.default_rng(0).choice(len(table), rows, replace=False)
    chosen = sorted({int(row) for row in [*ends.ravel(), *random]})
    assert set(table.loc[chosen, "activation"]) == set(zoo.spec.activation)
    assert set(table.loc[chosen, "shard"]) == set(range(len(zoo.manifest.shards)))
    return chosen


@every_built_zoo
def test_a_network_has_exactly_the_accuracy_of_its_row(name: str, request: pytest.FixtureRequest):
    zoo: Zoo = request.getfixturevalue(name)
    images = load_images(zoo.spec.images)
    shown, truth = torch.from_numpy(images.test_images), torch.from_numpy(images.test_labels)
    with torch.no_grad():
        for row in sampled_rows(zoo):
            network = zoo.network(row)
            assert not network.training
            hits = int((network(shown).argmax(1) == truth).sum())
            assert hits / len(truth) == zoo.properties["test_accuracy"].iloc[row]


def test_accuracies_tell_snapshots_apart(hyp_zoo: Zoo):
    assert hyp_zoo.properties["test_accuracy"].nunique() > 50


@every_built_zoo
def test_the_parts_are_the_splits_and_make_up_the_zoo(name: str, request: pytest.FixtureRequest):
    zoo: Zoo = request.getfixturevalue(name)
    parts = {split: zoo.part(split) for split in SPLITS}
    rows = np.concatenate([part.properties.index.to_numpy() for part in parts.values()])
    assert sorted(rows) == list(range(len(zoo.properties)))
    for split, part in parts.items():
        assert set(part.properties["split"]) == {split}
        expected = np.asarray(zoo.weights)[part.properties.index]
        assert (np.asarray(part.weights) == expected).all()
    assert (np.asarray(zoo.test.weights) == np.asarray(parts["test"].weights)).all()
    assert len(zoo.train.weights) + len(zoo.validation.weights) == len(rows) - len(zoo.test.weights)


def test_loading_maps_the_shards_and_copies_nothing(mixed_zoo: Zoo):
    for part in mixed_zoo.weights._parts:
        assert isinstance(part.base, np.memmap)
        assert not part.flags.writeable


def test_the_tensors_of_a_snapshot_are_copies_of_the_slices_of_its_vector(mixed_zoo: Zoo):
    before = mixed_zoo.weights[5]
    tensors = mixed_zoo.state_dict(5)
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == (
        mixed_zoo.layout.shapes
    )
    assert torch.cat([tensor.flatten() for tensor in tensors.values()]).numpy().tobytes() == (
        before.tobytes()
    )
    for tensor in tensors.values():
        tensor.zero_()
    assert (mixed_zoo.weights[5] == before).all()


def test_a_torch_dataset_pairs_vectors_with_their_property(mixed_zoo: Zoo):
    dataset = mixed_zoo.torch_dataset("validation", "test_loss")
    part = mixed_zoo.validation
    assert len(dataset) == len(part.weights)
    for row in (0, len(dataset) - 1):
        vector, target = dataset[row]
        assert (vector.numpy() == part.weights[row]).all()
        assert target == np.float32(part.properties["test_loss"].iloc[row])


@pytest.mark.parametrize(
    ("split", "target", "complaint"),
    [
        ("valid", "epoch", "no split called 'valid'; closest: validation"),
        ("train", "test_acuracy", "no numeric property called 'test_acuracy'; closest: test_acc"),
        ("train", "activation", "no numeric property called 'activation'"),
    ],
)
def test_an_unknown_split_or_property_is_answered_with_the_closest(
    mixed_zoo: Zoo, split: Any, target: str, complaint: str
):
    dataset = unwrap(Zoo.torch_dataset)  # without the type check that only tests have
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Zoo, "part", unwrap(Zoo.part))
        with pytest.raises(UnknownNameError, match=complaint):
            dataset(mixed_zoo, split, target)


def test_no_pickle_is_read_or_written(
    copied_zoo: Path, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: pytest.fail("unpickled"))
    zoo = load_zoo(copied_zoo)
    zoo.network(0)
    assert len(zoo.train.properties) > 0
    openings = {".safetensors": b"{", ".parquet": b"PAR1", ".json": b"{", ".md": b"---"}
    for name, (_, blob) in contents(mixed_zoo.folder).items():
        kind = Path(name).suffix
        assert blob[8 if kind == ".safetensors" else 0 :].startswith(openings[kind])


def test_an_unknown_zoo_is_answered_with_the_closest_names():
    with pytest.raises(UnknownNameError, match="no zoo called 'tetris-sed'; closest: tetris-seed"):
        load_zoo("tetris-sed")


def test_an_unfinished_build_is_not_a_zoo(copied_zoo: Path):
    (copied_zoo / MANIFEST).unlink()
    with pytest.raises(ZooError, match=r"is not a zoo: it has no zoo\.json"):
        load_zoo(copied_zoo)


def test_a_zoo_is_found_in_the_cache_by_its_name(
    mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path))
    monkeypatch.setitem(ZOOS, "mixed", mixed_zoo.spec)
    with pytest.raises(ZooError, match=f"mixed is not in {tmp_path}; run: zoogen build mixed"):
        load_zoo("mixed")
    shutil.copytree(mixed_zoo.folder, tmp_path / "mixed")
    assert load_zoo("mixed").manifest == mixed_zoo.manifest


def test_a_missing_tetris_zoo_is_built(
    mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path))
    monkeypatch.setitem(ZOOS, "mixed", mixed_zoo.spec)
    monkeypatch.setattr(loading, "BUILT_ON_DEMAND", ("mixed",))
    monkeypatch.setattr(
        loading, "build_zoo", lambda _, folder: shutil.copytree(mixed_zoo.folder, folder)
    )
    for name in ("mixed", Path("mixed")):
        assert load_zoo(name).folder == tmp_path / "mixed"
        shutil.rmtree(tmp_path / "mixed")


@pytest.mark.parametrize("file", [shard_name(2), TABLE])
def test_a_missing_file_is_named(copied_zoo: Path, file: str):
    (copied_zoo / file).unlink()
    with pytest.raises(
        IntegrityError, match=f"{copied_zoo / file} is missing; build or fetch the zoo again"
    ):
        _ = load_zoo(copied_zoo).properties


@pytest.mark.parametrize("file", [shard_name(2), TABLE])
@pytest.mark.parametrize("length", [0, 11, -1])
def test_a_truncated_file_is_named(copied_zoo: Path, file: str, length: int):
    path = copied_zoo / file
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(IntegrityError, match=str(path)):
        _ = load_zoo(copied_zoo).properties


def test_a_table_with_other_rows_is_refused(copied_zoo: Path, mixed_zoo: Zoo):
    mixed_zoo.properties.iloc[1:].to_parquet(copied_zoo / TABLE)
    with pytest.raises(IntegrityError, match="383 rows, expected 384"):
        _ = load_zoo(copied_zoo).properties


def test_a_layout_that_is_not_the_networks_is_refused(copied_zoo: Path):
    edit(copied_zoo, lambda fields: fields["layout"].update({"fc1.weight": [16, 5]}))
    with pytest.raises(IntegrityError, match=r"zoo\.json: layout .* is not the network's"):
        load_zoo(copied_zoo)


def test_shards_that_are_not_as_long_as_the_manifest_says_are_refused(copied_zoo: Path):
    edit(copied_zoo, lambda fields: fields["shards"][0].update(rows=127))
    with pytest.raises(IntegrityError, match="the manifest names"):
        load_zoo(copied_zoo)
    assert json.loads((copied_zoo / MANIFEST).read_text())["shards"][0]["rows"] == 127


def test_a_zoo_that_differs_from_its_registered_spec_warns_once(
    copied_zoo: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    spec = load_zoo(copied_zoo).spec
    folder = copied_zoo.rename(copied_zoo.parent / "mine")
    monkeypatch.setitem(ZOOS, "mine", replace(spec, epochs=7, learning_rate=(0.5,)))
    monkeypatch.setattr("zoogen.load.open.Search.find", lambda *_: (folder, None))
    caplog.clear()
    for _ in range(3):
        load_zoo("mine")
    assert caplog.messages == ["mine differs from the registered zoo in learning_rate, epochs"]
