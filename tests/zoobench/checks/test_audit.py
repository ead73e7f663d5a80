"""An audit finds all that splits share, whatever the order of hidden units."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zoobench.cli.test_commands import zoobench
from zoobench.checks.audit import audit, snapshots, splits, starts
from zoobench.checks.findings import Finding
from zoobench.checks.fingerprint import fingerprints, network_hashes
from zoogen import (
    CNN,
    MLP,
    Convolution,
    HiddenLayer,
    Layout,
    Weights,
    Zoo,
    permutation_index,
)

CNN_FLAT = CNN(
    image=(2, 8, 8),
    convolutions=(Convolution(channels=3, kernel=3), Convolution(channels=4, kernel=3, pool=2)),
    widths=(6, 3),
)
CNN_MEAN = CNN(
    image=(1, 8, 8),
    convolutions=(Convolution(channels=4, kernel=3), Convolution(channels=3, kernel=3)),
    features="mean",
    widths=(3,),
)
NETWORKS = {
    "mlp": MLP(widths=(6, 5, 4, 3)),
    "mlp with bias": MLP(widths=(6, 5, 3), bias=True),
    "cnn": CNN_FLAT,
    "cnn with means": CNN_MEAN,
}


def verdicts(found: list[Finding]) -> dict[str, str]:
    return {each.subject: each.verdict for each in found}


def with_weights(zoo: Zoo, change: Callable[[np.ndarray, pd.DataFrame], None]) -> Zoo:
    """Return the zoo with changed weights, in memory."""
    values = np.asarray(zoo.weights)
    change(values, zoo.properties)
    return replace(zoo, weights=Weights([values], zoo.layout))


def with_table(zoo: Zoo, change: Callable[[pd.DataFrame], None]) -> Zoo:
    """Return the zoo with a changed table, in memory."""
    table = zoo.properties.copy()
    change(table)
    changed = replace(zoo)
    vars(changed)["properties"] = table
    return changed


def first_row(table: pd.DataFrame, split: str, epoch: int) -> int:
    return int(np.flatnonzero((table["split"] == split) & (table["epoch"] == epoch))[0])


def reordered(row: np.ndarray, zoo: Zoo, seed: int = 0) -> np.ndarray:
    """Return the same network with its hidden units in another order."""
    draw = np.random.default_rng(seed)
    layers = zoo.layout.symmetry
    orders = {layer.name: draw.permutation(layer.units) for layer in layers}
    return row[permutation_index(zoo.layout, layers, orders)]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@given(seed=st.integers(0, 2**32), ties=st.booleans())
def test_a_fingerprint_ignores_the_order_of_hidden_units_and_nothing_else(
    network: MLP | CNN, seed: int, ties: bool
):
    draw = np.random.default_rng(seed)
    layout = network.layout
    rows = draw.normal(size=(3, layout.params)).astype(np.float32)
    if ties:  # dead and equal units
        rows = np.trunc(rows)
    orders = {layer.name: draw.permutation(layer.units) for layer in layout.symmetry}
    moved = rows[:, permutation_index(layout, layout.symmetry, orders)]
    hashes = network_hashes(rows, layout)
    assert np.array_equal(hashes, network_hashes(moved, layout))
    other = rows.copy()
    at = draw.integers(layout.params)
    other[:, at] += 0.5
    assert not (hashes == network_hashes(other, layout)).any() or ties


def test_units_that_several_tensors_share_change_places_in_all_of_them_or_not_at_all():
    stream = HiddenLayer(
        "stream", 4, (("in", 0), ("block", 0)), (("block", 1), ("out", 1)), scales=False
    )
    shapes = {"in": (4, 3), "block": (4, 4), "out": (2, 4)}
    layout = Layout.of(shapes, (stream,))
    rows = np.random.default_rng(0).normal(size=(5, layout.params)).astype(np.float32)
    moved = rows[:, permutation_index(layout, (stream,), {"stream": np.array([2, 0, 3, 1])})]
    assert np.array_equal(network_hashes(rows, layout), network_hashes(moved, layout))
    only_in = np.arange(layout.params)
    only_in[:12] = only_in[:12].reshape(4, 3)[[2, 0, 3, 1]].ravel()
    assert not (network_hashes(rows, layout) == network_hashes(rows[:, only_in], layout)).any()


def test_a_network_that_declares_nothing_is_known_by_its_weights_as_they_are():
    declared = MLP(widths=(4, 3, 2)).layout
    layout = Layout.of(declared.shapes)
    rows = np.random.default_rng(0).normal(size=(5, layout.params)).astype(np.float32)
    orders = {"fc1": np.array([1, 2, 0])}
    moved = rows[:, permutation_index(declared, declared.symmetry, orders)]
    assert np.array_equal(network_hashes(rows, layout), network_hashes(rows.copy(), layout))
    assert not (network_hashes(rows, layout) == network_hashes(moved, layout)).any()


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_inputs_and_outputs_have_their_places(network: MLP | CNN):
    layout = network.layout
    row = np.random.default_rng(0).normal(size=(1, layout.params)).astype(np.float32)
    for name, axis in ((layout.slots[0].name, 1), (f"fc{len(network.widths)}.weight", 0)):
        names = [slot.name for slot in layout if slot.name.endswith(".weight")]
        slot = layout[name if name in names else names[-1]]
        if slot.shape[axis] == 1:
            continue
        moved = row.copy()
        tensor = moved[:, slot.slice].reshape(1, *slot.shape)
        moved[:, slot.slice] = np.flip(tensor, axis=axis + 1).reshape(1, -1)
        assert network_hashes(row, layout) != network_hashes(moved, layout)


def test_a_weight_of_minus_zero_is_zero():
    layout = NETWORKS["mlp"].layout
    zeros = np.zeros((1, layout.params), dtype=np.float32)
    assert network_hashes(zeros, layout) == network_hashes(-zeros, layout)


def test_a_zoo_is_hashed_the_same_in_blocks_and_at_once(
    hyp_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    at_once = np.concatenate(list(fingerprints(hyp_zoo.weights)))
    monkeypatch.setattr("zoobench.checks.fingerprint.BLOCK", 700)
    assert np.array_equal(np.concatenate(list(fingerprints(hyp_zoo.weights))), at_once)


@pytest.mark.parametrize("name", ["seed_zoo", "hyp_zoo", "mixed_zoo", "cnn_zoo"])
def test_built_zoos_pass(name: str, request: pytest.FixtureRequest):
    found = audit(request.getfixturevalue(name))
    assert {"files", "models", "groups", "split", "snapshots"} <= set(verdicts(found))
    assert "FAILED" not in verdicts(found).values()


def test_a_test_snapshot_copied_from_training_is_found_with_its_units_in_another_order(
    hyp_zoo: Zoo,
):
    def copy(values: np.ndarray, table: pd.DataFrame) -> None:
        train, test = first_row(table, "train", 2), first_row(table, "test", 1)
        values[test] = reordered(values[train], hyp_zoo)
        assert not np.array_equal(values[test], values[train])

    found = {each.subject: each for each in snapshots(with_weights(hyp_zoo, copy))}
    assert found["snapshots"].verdict == "FAILED"
    assert "2 of 288 are in two splits" in found["snapshots"].detail
    assert "(train)" in found["snapshots"].detail
    assert "(test)" in found["snapshots"].detail


def test_twins_within_a_split_are_counted_and_do_not_fail(hyp_zoo: Zoo):
    def copy(values: np.ndarray, table: pd.DataFrame) -> None:
        first, other = first_row(table, "train", 2), first_row(table, "train", 1)
        values[other] = reordered(values[first], hyp_zoo)

    found = {each.subject: each for each in snapshots(with_weights(hyp_zoo, copy))}
    assert found["snapshots"].verdict == "ok"
    assert found["twins"].detail.startswith("2 ")


def test_shared_starting_points_are_counted_if_the_manifest_declares_them(cnn_zoo: Zoo):
    assert cnn_zoo.manifest.shared_starts
    assert verdicts(list(starts(cnn_zoo))) == {"starting points": "note"}
    found = verdicts(list(snapshots(cnn_zoo)))
    assert (found["snapshots"], found["epoch 0"]) == ("ok", "note")
    silent = replace(cnn_zoo, manifest=replace(cnn_zoo.manifest, shared_starts=False))
    assert verdicts(list(starts(silent))) == {"starting points": "FAILED"}
    assert verdicts(list(snapshots(silent)))["snapshots"] == "FAILED"


def test_a_trained_snapshot_in_two_splits_does_not_pass_as_a_starting_point(cnn_zoo: Zoo):
    def copy(values: np.ndarray, table: pd.DataFrame) -> None:
        values[first_row(table, "test", 3)] = values[first_row(table, "train", 3)]

    found = verdicts(list(snapshots(with_weights(cnn_zoo, copy))))
    assert found["snapshots"] == "FAILED"


def test_a_model_in_two_splits_is_named(seed_zoo: Zoo):
    def move(table: pd.DataFrame) -> None:
        table.loc[first_row(table, "train", 2), "split"] = "test"

    changed = with_table(seed_zoo, move)
    model = changed.properties["model"].iloc[first_row(seed_zoo.properties, "train", 2)]
    found = {each.subject: each for each in splits(changed)}
    assert found["models"].verdict == "FAILED"
    assert f"the first {model}" in found["models"].detail


def test_a_group_in_two_splits_is_found(hyp_zoo: Zoo):
    def move(table: pd.DataFrame) -> None:
        model = table.loc[first_row(table, "train", 1), "model"]
        table.loc[table["model"] == model, "split"] = "test"

    found = verdicts(list(splits(with_table(hyp_zoo, move))))
    assert found == {"models": "ok", "groups": "FAILED", "split": "FAILED"}
    assert verdicts(list(starts(with_table(hyp_zoo, move)))) == {"starting points": "FAILED"}


def test_a_split_that_was_drawn_again_is_found(seed_zoo: Zoo):
    def deal(table: pd.DataFrame) -> None:
        turned = table["split"].map({"train": "train", "validation": "test", "test": "validation"})
        table["split"] = turned

    found = verdicts(list(splits(with_table(seed_zoo, deal))))
    assert found == {"models": "ok", "groups": "ok", "split": "FAILED"}


def test_the_command_reports_in_80_columns_and_exits_with_a_status(hyp_zoo: Zoo, tmp_path: Path):
    done = zoobench("audit", str(hyp_zoo.folder), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "288, none in two splits" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_command_fails_on_a_zoo_that_leaks(copied_zoo: Path, tmp_path: Path):
    table = pd.read_parquet(copied_zoo / "snapshots.parquet")
    table.loc[0, "split"] = "test" if table.loc[0, "split"] == "train" else "train"
    table.to_parquet(copied_zoo / "snapshots.parquet", index=False)
    done = zoobench("audit", str(copied_zoo), folder=tmp_path)
    assert done.returncode == 1
    assert "sha256" in done.stderr
    manifest = copied_zoo / "zoo.json"
    altered, recorded = re.findall(r"\b[0-9a-f]{64}\b", done.stderr)
    manifest.write_text(manifest.read_text().replace(recorded, altered))
    done = zoobench("audit", str(copied_zoo), folder=tmp_path)
    assert done.returncode == 1
    assert "failed 3 of 6: models, groups, split" in done.stderr
    assert "Traceback" not in done.stderr
