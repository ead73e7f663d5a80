"""Writes the weights of a foreign zoo, and reads some back to be checked."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int64

from zoogen.importers.checks import sampled_rows
from zoogen.importers.columns import unmeasured_rows
from zoogen.importers.foreign import Block, Foreign
from zoogen.importers.shard_writer import ShardWriter
from zoogen.progress import progress_bar
from zoogen.spec.layout import Layout
from zoogen.store.manifest import FileEntry
from zoogen.store.shards import map_shard
from zoogen.store.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What was written of a population.

    Attributes:
        shards: The files, in order.
        rows: Row in ``Foreign.snapshots`` of each stored snapshot, in the order of the shards.
        lost: Rows left out, each with its reason.
        sample: Rows set aside for the checks.
        original: Vectors of the sample, as read from the original.
        ours: Vectors of the sample, as read back from the shards.
    """

    shards: tuple[FileEntry, ...]
    rows: Int64[np.ndarray, " stored"]
    lost: dict[int, str]
    sample: Int64[np.ndarray, " sample"]
    original: Float32[np.ndarray, "sample params"]
    ours: Float32[np.ndarray, "sample params"]


def write_weights(foreign: Foreign, folder: Path) -> Stored:
    """Write the weights into shards, and set a sample aside.

    Raises:
        ZooError: If a shard cannot be written, or the source is damaged.
    """
    snapshots, layout = foreign.snapshots, foreign.layout
    lost, order = unmeasured_rows(snapshots), list[int]()
    sample, aside = set(sampled_rows(snapshots).tolist()), dict[int, np.ndarray]()
    bar = progress_bar(
        f"import {foreign.name}", things="snapshots", total=len(snapshots), unit="snapshots"
    )
    shard_writer = ShardWriter(folder, foreign.network.layout, layout.columns)
    with closing(shard_writer) as writer, bar as report:
        for block in foreign.blocks():
            lost |= block.lost
            keep = kept_rows(block, lost)
            for place in np.flatnonzero(keep & np.isin(block.rows, list(sample))):
                aside[int(block.rows[place])] = block.weights[place].copy()
            writer.add(block.weights if keep.all() else block.weights[keep])
            order += block.rows[keep].tolist()
            report(len(block.rows) + len(block.lost))
        shards = writer.finish()
    chosen = sorted(aside)
    original = np.array([aside[row] for row in chosen], np.float32)
    return Stored(
        shards=shards,
        rows=np.array(order, int),
        lost=lost,
        sample=np.array(chosen, int),
        original=original.reshape(-1, layout.tensors.params),
        ours=read_back(folder, shards, order, chosen, foreign.network.layout),
    )


def kept_rows(block: Block, lost: dict[int, str]) -> Bool[np.ndarray, " rows"]:
    """Return which rows of a block to store; add those with weights not finite to ``lost``."""
    finite = np.isfinite(block.weights).all(axis=1)
    for row in block.rows[~finite].tolist():
        lost.setdefault(row, "weights not finite")
    return np.array([row not in lost for row in block.rows.tolist()], bool)


def read_back(
    folder: Path, shards: Sequence[FileEntry], order: list[int], chosen: list[int], layout: Layout
) -> Float32[np.ndarray, "sample params"]:
    """Read the chosen rows from the written files."""
    place = {row: at for at, row in enumerate(order)}
    maps = [map_shard(folder / shard.file, shard.rows, layout.params) for shard in shards]
    return np.asarray(Weights(maps, layout).take(np.array([place[row] for row in chosen], int)))
