"""The table has one row per snapshot, in the order of the weights."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zoogen import Zoo, ZooSpec
from zoogen.spec.configs import model_configs
from zoogen.spec.split import model_groups, model_splits
from zoogen.store.manifest import Failure
from zoogen.store.table import (
    ShardNotes,
    model_table,
    read_notes,
    read_part,
    snapshot_table,
    write_table,
)


def notes_for(zoo: Zoo) -> ShardNotes:
    return ShardNotes(
        spec=zoo.spec,
        images_sha256=zoo.manifest.images_sha256,
        models=(0, 1),
        failures=(Failure(model=1, epoch=2, reason="weights not finite"),),
        weights=zoo.manifest.shards[0],
    )


def test_every_model_has_its_config_group_and_split(mixed_spec: ZooSpec):
    configs = model_configs(mixed_spec)
    table = model_table(mixed_spec)
    assert list(table["group"]) == model_groups(mixed_spec, configs)
    assert list(table["split"]) == model_splits(mixed_spec, configs)
    for config in configs:
        row = table.loc[config.model]
        for field, value in vars(config).items():
            assert field == "model" or row[field] == value


def test_every_model_has_one_row_per_epoch(mixed_zoo: Zoo):
    epochs = mixed_zoo.properties.groupby("model")["epoch"].agg(list)
    assert list(epochs.index) == list(range(mixed_zoo.spec.models))
    assert all(of_model == [1, 2] for of_model in epochs)


def test_rows_are_in_the_order_of_the_shards(mixed_zoo: Zoo):
    rows = mixed_zoo.properties
    expected = [
        (number, row)
        for number, shard in enumerate(mixed_zoo.manifest.shards)
        for row in range(shard.rows)
    ]
    assert list(zip(rows["shard"], rows["row"], strict=True)) == expected
    assert rows.index.equals(pd.RangeIndex(len(expected)))


def test_a_model_left_out_shifts_no_row_of_another(mixed_spec: ZooSpec):
    measured = {"loss": np.array([[1.0, 2.0], [3.0, 4.0]])}
    rows = snapshot_table(model_table(mixed_spec), [4, 6], 3, measured, (0, 20))
    columns = ["model", "epoch", "shard", "row", "loss"]
    assert rows[columns].to_numpy().tolist() == [
        [4, 0, 3, 0, 1.0],
        [4, 20, 3, 1, 2.0],
        [6, 0, 3, 2, 3.0],
        [6, 20, 3, 3, 4.0],
    ]


def test_rows_and_notes_of_a_shard_can_be_read_back(mixed_zoo: Zoo, tmp_path: Path):
    rows, notes = mixed_zoo.properties.iloc[:4], notes_for(mixed_zoo)
    write_table(tmp_path / "part", rows, notes)
    read, found = read_part(tmp_path / "part")
    pd.testing.assert_frame_equal(read, rows)
    assert found == notes == read_notes(tmp_path / "part")


def test_writing_the_same_rows_twice_gives_the_same_bytes(mixed_zoo: Zoo, tmp_path: Path):
    for name in ("one", "two"):
        write_table(tmp_path / name, mixed_zoo.properties)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("length", [0, 10, -1])
def test_a_damaged_part_counts_as_missing(mixed_zoo: Zoo, tmp_path: Path, length: int):
    path = tmp_path / "part"
    assert read_notes(path) is None
    write_table(path, mixed_zoo.properties, notes_for(mixed_zoo))
    path.write_bytes(path.read_bytes()[:length])
    assert read_notes(path) is None


def test_a_table_without_notes_is_not_a_part(mixed_zoo: Zoo, tmp_path: Path):
    write_table(tmp_path / "part", mixed_zoo.properties)
    assert read_notes(tmp_path / "part") is None
