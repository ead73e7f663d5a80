"""A zoo in other libraries' hands: the same table, the same weights, no copies."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from tests.hub import WRITE, Hub
from tests.subprocesses import PATIENCE, plain_environment
from zoogen import Weights, Zoo, ZooError, load_zoo, publish_zoo
from zoogen.layout import Layout
from zoogen.shards import map_shard, shard_name, write_shard
from zoogen.torch_dataset import SnapshotDataset

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


def test_without_datasets_the_way_to_it_is_named(mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch):
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


def test_weights_of_ones_own_arrays_are_pickled_whole():
    weights = Weights([np.ones((2, 3), np.float32)], Layout.of({"w": (3,)})).take([1])
    again = pickle.loads(pickle.dumps(weights))
    assert (np.asarray(again) == np.asarray(weights)).all()
    assert again.layout == weights.layout


def test_a_file_that_has_changed_meanwhile_is_not_mapped(copied_zoo: Path):
    blob = pickle.dumps(load_zoo(copied_zoo).weights)
    path = copied_zoo / shard_name(1)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ZooError, match="truncated or altered"):
        pickle.loads(blob)


def anonymous_kb() -> int:
    """Memory of this process that is no file's, in kilobytes."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1])
    raise AssertionError("no smaps_rollup")


def note_memory(_: int) -> None:
    global before  # noqa: PLW0603 a worker has nowhere else to put it
    before = anonymous_kb()


def collate(pairs: list[Any]) -> tuple[torch.Tensor, torch.Tensor, int]:
    vectors, targets = (torch.stack(column) for column in zip(*pairs, strict=True))
    return vectors[:, 0].clone(), targets, anonymous_kb() - before


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_read_all_of_a_zoo_and_none_holds_it(tmp_path: Path, start: str):
    """Two workers, 128 MB of weights, one batch in memory at a time."""
    rows, params, shards = 4096, 4096, 2
    layout = Layout.of({"w": (params,)})
    for number in range(shards):
        values = np.zeros((rows, params), np.float32)
        values[:, 0] = np.arange(rows) + number * rows
        write_shard(tmp_path / f"{number}", values, layout)
        del values
    mapped = [map_shard(tmp_path / f"{number}", rows, params) for number in range(shards)]
    targets = torch.arange(rows * shards, dtype=torch.float32)
    loader = DataLoader(
        SnapshotDataset(Weights(mapped, layout), targets),
        batch_size=64,
        shuffle=True,
        num_workers=2,
        collate_fn=collate,
        worker_init_fn=note_memory,
        multiprocessing_context=start,
    )
    seen, most = [], 0
    for firsts, asked, grown in loader:
        assert torch.equal(firsts, asked)
        seen.append(asked)
        most = max(most, grown)
    assert torch.equal(torch.cat(seen).sort().values, targets)
    assert most < 40_000
