"""Streamed rows come from the Hub when they are used, and few rows need few bytes."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub import Hub
from tests.zoogen.store.test_hostile_zoo import LIES, files
from zoogen import IntegrityError, Zoo, ZooError, load_zoo
from zoogen.hub import stream
from zoogen.hub.stream import runs
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name

ADDRESS = "hub:org/mixed@v1"

__all__ = ["files"]


@pytest.fixture
def at(hub: Hub, mixed_zoo: Zoo, tmp_path: Path) -> dict[str, Any]:
    """Options that stream from a Hub with ``mixed_zoo``, with the test's own cache."""
    hub.put_folder(mixed_zoo.folder, "org/mixed", tag="v1")
    return {"endpoint": hub.url, "cache_dir": tmp_path / "cache", "stream": True}


def read(hub: Hub) -> int:
    """Return how many bytes of shards the Hub sent."""
    return sum(one.sent for one in hub.calls("GET", r"/resolve/.*safetensors"))


def test_streamed_rows_are_the_stored_rows(hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]):
    zoo = load_zoo(ADDRESS, **at)
    assert read(hub) == 0
    assert zoo.properties.equals(mixed_zoo.properties)
    chosen = np.random.default_rng(0).permutation(384)[:50]
    assert (zoo.weights[chosen] == mixed_zoo.weights[chosen]).all()
    assert (np.asarray(zoo.test.weights) == np.asarray(mixed_zoo.test.weights)).all()
    assert (np.asarray(zoo.weights) == np.asarray(mixed_zoo.weights)).all()
    assert (zoo.weights.tensor("fc1.bias") == mixed_zoo.weights.tensor("fc1.bias")).all()
    assert zoo.network(7)(np_images()).shape == (1, 4)
    assert {path.name for path in zoo.folder.rglob("*") if path.is_file()} == {
        MANIFEST,
        TABLE,
        "README.md",
        ".lock",
    }


def np_images() -> Any:
    import torch

    return torch.zeros(1, 16)


def test_only_used_rows_are_read(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream, "GAP", 0)
    monkeypatch.setattr(stream, "HEAD", 256)
    zoo = load_zoo(ADDRESS, **at)
    _ = zoo.weights[[5, 6, 100, 380]]
    assert read(hub) == 4 * 436 + 2 * 256
    assert not hub.calls("GET", shard_name(1))
    assert all(one.status == 206 for one in hub.calls("GET", "safetensors"))


def test_local_shards_are_mapped_and_the_others_streamed(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]
):
    load_zoo(ADDRESS, models=64, **{**at, "stream": False})
    hub.requests.clear()
    zoo = load_zoo(ADDRESS, **at)
    assert (np.asarray(zoo.weights) == np.asarray(mixed_zoo.weights)).all()
    assert not hub.calls("GET", shard_name(0))
    part = load_zoo(ADDRESS, models=range(100, 150), split="train", **at)
    chosen = mixed_zoo.properties.query("100 <= model < 150 and split == 'train'").index
    assert (np.asarray(part.weights) == mixed_zoo.weights[chosen.to_numpy()]).all()


def test_a_streamed_zoo_feeds_a_data_loader(mixed_zoo: Zoo, at: dict[str, Any]):
    from torch.utils.data import DataLoader

    dataset = load_zoo(ADDRESS, **at).torch_dataset("validation", "epoch")
    again = pickle.loads(pickle.dumps(dataset))
    (batch, _), *_ = DataLoader(again, batch_size=30)
    assert (batch.numpy() == mixed_zoo.validation.weights[:30]).all()


def test_a_hub_that_goes_down_is_named(hub: Hub, at: dict[str, Any], waits: list[float]):
    zoo = load_zoo(ADDRESS, **at)
    hub.stop()
    with pytest.raises(ZooError, match=f"org/mixed on {hub.url}: no connection"):
        _ = zoo.weights[3]


def test_missing_bytes_are_noticed(hub: Hub, at: dict[str, Any]):
    zoo = load_zoo(ADDRESS, **at)
    _ = zoo.weights[3]
    hub.repository("org/mixed").alter(shard_name(0), b"short")
    with pytest.raises(ZooError):
        _ = zoo.weights[100]


ABOUT_A_SHARD = {"a_larger_shape", "offsets_beyond_the_end", "an_oversized_header"}
ABOUT_FILES = {"another_hash", "another_size", "no_shard", "a_truncated_shard"}


@pytest.mark.parametrize(
    ("lie", "words"), [one for one in LIES if one[0].__name__ in ABOUT_A_SHARD | ABOUT_FILES]
)
def test_a_false_shard_is_refused_when_it_is_opened_or_read(
    hub: Hub, files: dict[str, bytes], tmp_path: Path, lie: Any, words: str
):
    hub.create("org/lies").put(lie(files))
    with pytest.raises(IntegrityError, match=words):
        _ = load_zoo("hub:org/lies", endpoint=hub.url, cache_dir=tmp_path, stream=True).weights[200]


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(1, 1 << 16))
def test_runs_hold_every_row_once_and_no_long_gap(rows: list[int], width: int):
    found = list(runs(np.array(rows, np.int64), width))
    held = [row for first, last in found for row in range(first, last)]
    assert set(rows) <= set(held)
    assert len(held) == len(set(held))
    assert all((last - first) * width <= max(stream.LONGEST, width) for first, last in found)
    vain = len(held) - len(set(rows))
    assert vain * width <= stream.GAP * max(len(rows), 1)
