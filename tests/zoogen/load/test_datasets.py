"""A zoo in other libraries: the same table, the same weights, no copies."""

import json
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from tests.hub import WRITE, Hub
from tests.memory import collate
from tests.subprocesses import PATIENCE, plain_environment
from zoogen import Weights, Zoo, ZooError, load_zoo, publish_zoo
from zoogen.load.torch_dataset import SnapshotDataset
from zoogen.spec.layout import Layout
from zoogen.store.shards import map_shard, shard_name

REPO = "org/mixed"

LOAD = """
import sys

import pandas as pd
from datasets import load_dataset
from huggingface_hub import HfFileSystem

url, folder = sys.argv[1:]
found = load_dataset("org/mixed", revision="v1")
assert list(found) == ["snapshots"], found
from zoogen import load_zoo

zoo = load_zoo(folder)
ours = zoo.to_datasets()
assert found["snapshots"].features == ours.features, (found["snapshots"].features, ours.features)
assert found["snapshots"].split == ours.split
assert found["snapshots"][:] == ours[:]
streamed = load_dataset("org/mixed", revision="v1", split="snapshots", streaming=True)
assert next(iter(streamed)) == ours[0]
table = pd.read_parquet("hf://datasets/org/mixed@v1/snapshots.parquet")
pd.testing.assert_frame_equal(table, zoo.properties)
columns = pd.read_parquet(
    "hf://datasets/org/mixed@v1/snapshots.parquet", columns=["model", "test_accuracy"]
)
pd.testing.assert_frame_equal(columns, zoo.properties[["model", "test_accuracy"]])
print("the same")
"""


def test_load_dataset_and_read_parquet_give_the_table_from_the_hub(
    hub: Hub, mixed_zoo: Zoo, tmp_path: Path
):
    publish_zoo(mixed_zoo.folder, REPO, endpoint=hub.url, token=WRITE)
    environment = plain_environment() | {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": WRITE,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # or it calls a server elsewhere
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, hub.url, str(mixed_zoo.folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout == "the same\n", done.stderr
    assert not hub.calls("GET", r"safetensors")


def test_to_datasets_is_the_table(mixed_zoo: Zoo):
    dataset = mixed_zoo.to_datasets()
    pd.testing.assert_frame_equal(dataset.to_pandas(), mixed_zoo.properties)
    test = dataset.filter(lambda row: row["split"] == "test")
    assert len(test) == len(mixed_zoo.test.properties)
    part = load_zoo(mixed_zoo.folder, split="validation", models=range(20, 90))
    pd.testing.assert_frame_equal(part.to_datasets().to_pandas(), part.properties)


def test_without_datasets_the_way_to_install_it_is_named(
    mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ZooError, match=r"datasets; run: pip install 'zoobench\[hub\]'"):
        mixed_zoo.to_datasets()


def test_a_torch_dataset_is_pickled_by_the_names_of_its_files(mixed_zoo: Zoo):
    dataset = mixed_zoo.torch_dataset("train", "epoch")
    blob = pickle.dumps(dataset)
    rows = len(dataset)
    assert len(blob) < 20 * rows + 2000  # a row's number and target; its weights are 436 bytes
    again = pickle.loads(blob)
    assert isinstance(again.weights._parts[0].base, np.memmap)
    for row in (0, rows // 2, rows - 1):
        vector, target = again[row]
        assert (vector.numpy() == mixed_zoo.train.weights[row]).all()
        assert target == mixed_zoo.train.properties["epoch"].iloc[row]


def test_weights_in_memory_are_pickled_whole():
    weights = Weights([np.ones((2, 3), np.float32)], Layout.of({"w": (3,)})).take([1])
    again = pickle.loads(pickle.dumps(weights))
    assert (np.asarray(again) == np.asarray(weights)).all()
    assert again.layout == weights.layout


def test_a_file_that_changed_in_the_meantime_is_not_mapped(copied_zoo: Path):
    blob = pickle.dumps(load_zoo(copied_zoo).weights)
    path = copied_zoo / shard_name(1)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ZooError, match="truncated or altered"):
        pickle.loads(blob)


def test_no_worker_holds_a_copy_of_the_zoo(tmp_path: Path):
    """Two spawned workers read sparse shards of 2 GB."""
    rows, params = 2**13, 2**15
    layout = Layout.of({"w": (params,)})
    for number in range(2):
        size = rows * params * 4
        entry = {"dtype": "F32", "shape": [rows, params], "data_offsets": [0, size]}
        header = json.dumps({"weights": entry}).encode()
        with (tmp_path / f"{number}").open("wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.truncate(file.tell() + size)
        firsts = np.memmap(
            tmp_path / f"{number}", np.float32, "r+", 8 + len(header), (rows, params)
        )
        firsts[::64, 0] = np.arange(rows)[::64] + number * rows
        del firsts
    mapped = [map_shard(tmp_path / f"{number}", rows, params) for number in range(2)]
    loader = DataLoader(
        SnapshotDataset(Weights(mapped, layout), torch.arange(2.0 * rows)),
        batch_size=32,
        sampler=range(0, 2 * rows, 64),
        num_workers=2,
        collate_fn=collate,
        multiprocessing_context="spawn",
    )
    seen = []
    for firsts, targets, held in loader:
        assert torch.equal(firsts, targets)
        assert held < 2**30
        seen.append(targets)
    assert torch.equal(torch.cat(seen), torch.arange(0.0, 2.0 * rows, 64))
