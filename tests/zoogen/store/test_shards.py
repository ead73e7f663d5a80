"""Shards: opened by other tools, mapped without a copy, refused if the header lies."""

import errno
import json
import os
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError, safe_open

from zoogen import IntegrityError, Layout, Zoo, ZooError, tensors
from zoogen.store.shards import LARGEST_HEADER, map_shard, shard_name, write_shard

LAYOUT = Layout.of({"fc1.weight": (3, 2), "fc1.bias": (1,)})
VALUES = np.arange(35, dtype=np.float32).reshape(5, 7)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / shard_name(0)
    write_shard(path, VALUES, LAYOUT)
    return path


def with_header(shard: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Rewrite the header without changing the weights."""
    blob = shard.read_bytes()
    (size,) = struct.unpack("<Q", blob[:8])
    header = json.dumps(change(json.loads(blob[8 : 8 + size]))).encode()
    shard.write_bytes(struct.pack("<Q", len(header)) + header + blob[8 + size :])


def tensor_entry(header: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return header | {"weights": header["weights"] | fields}


def test_the_plain_safetensors_library_opens_a_shard(shard: Path):
    with safe_open(shard, framework="numpy") as opened:
        assert opened.keys() == ["weights"]
        assert (opened.get_tensor("weights") == VALUES).all()
        shapes = json.loads(opened.metadata()["layout"])
    assert Layout.of({name: tuple(shape) for name, shape in shapes.items()}) == LAYOUT


def test_the_same_weights_give_the_same_bytes(shard: Path):
    before = shard.read_bytes()
    for _ in range(5):
        write_shard(shard, VALUES, LAYOUT)
        assert shard.read_bytes() == before


def test_shards_of_a_built_zoo_hold_their_layout(mixed_zoo: Zoo):
    with safe_open(mixed_zoo.folder / shard_name(1), framework="numpy") as opened:
        shapes = json.loads(opened.metadata()["layout"])
        stored = opened.get_tensor("weights")
    assert (
        Layout.of({name: tuple(shape) for name, shape in shapes.items()}).slots
        == mixed_zoo.layout.slots
    )
    rows = np.flatnonzero(mixed_zoo.properties["shard"] == 1)
    assert (stored == mixed_zoo.weights[rows]).all()


def test_a_mapped_shard_is_not_a_copy(shard: Path):
    mapped = map_shard(shard, 5, 7)
    assert (mapped == VALUES).all()
    assert isinstance(mapped.base, np.memmap)
    assert not mapped.flags.writeable


def test_a_shard_without_rows_can_be_written_and_mapped(tmp_path: Path):
    write_shard(tmp_path / "empty", np.empty((0, 7), np.float32), LAYOUT)
    assert map_shard(tmp_path / "empty", 0, 7).shape == (0, 7)


def test_a_missing_shard_is_named(tmp_path: Path):
    with pytest.raises(IntegrityError, match=r"00003\.safetensors is missing; build or fetch"):
        map_shard(tmp_path / shard_name(3), 5, 7)


@pytest.mark.parametrize("length", [0, 3, 8, 60, -1, -100])
def test_a_truncated_shard_is_named(shard: Path, length: int):
    shard.write_bytes(shard.read_bytes()[:length])
    with pytest.raises(IntegrityError, match=str(shard)):
        map_shard(shard, 5, 7)


def test_a_shard_with_extra_bytes_is_named(shard: Path):
    shard.write_bytes(shard.read_bytes() + b"\0")
    with pytest.raises(IntegrityError, match=r"00000\.safetensors: \d+ bytes, expected \d+"):
        map_shard(shard, 5, 7)


@pytest.mark.parametrize("size", [LARGEST_HEADER + 1, 2**63, 2**64 - 1])
def test_a_header_that_is_too_long_is_not_parsed(shard: Path, size: int):
    shard.write_bytes(struct.pack("<Q", size) + shard.read_bytes()[8:])
    with pytest.raises(IntegrityError, match=f"the header has {size} bytes, expected at most"):
        map_shard(shard, 5, 7)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: tensor_entry(header, shape=[7, 5]),
        lambda header: tensor_entry(header, shape=[5, 8]),
        lambda header: tensor_entry(header, dtype="I32"),
        lambda header: tensor_entry(header, data_offsets=[4, 144]),
        lambda header: tensor_entry(header, data_offsets=[-140, 0]),
        lambda header: {"other": header["weights"]},
        lambda header: [header],
        lambda header: "weights",
        lambda header: None,
    ],
)
def test_a_header_that_lies_is_refused_and_quoted(
    shard: Path, change: Callable[[dict[str, Any]], Any]
):
    with_header(shard, change)
    with pytest.raises(IntegrityError, match=r"holds .*, the manifest names .*\[5, 7\]"):
        map_shard(shard, 5, 7)


@pytest.mark.parametrize("header", [b"\xff\xfe not json", b"[" * 500_000, b"{"])
def test_a_header_that_is_not_json_is_refused(shard: Path, header: bytes):
    shard.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(IntegrityError, match="not a safetensors file"):
        map_shard(shard, 5, 7)


def test_a_disk_that_fills_up_leaves_no_half_written_shard(shard: Path):
    before = shard.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(ZooError, match=r"cannot write .*00000\.safetensors.*make room"):
            write_shard(shard, np.zeros((1000, 7), np.float32), LAYOUT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(shard.parent.iterdir()) == [shard]
    assert shard.read_bytes() == before


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        SafetensorError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception):
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(tensors, "save_file", fail)
    with pytest.raises(ZooError, match="No space left on device"):
        write_shard(tmp_path / "shard", VALUES, LAYOUT)
    assert not any(tmp_path.iterdir())
