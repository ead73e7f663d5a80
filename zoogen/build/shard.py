"""One shard from spec to files: train its models, measure snapshots, write weights and rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoogen.device import (
    device_name,
    freed_memory_kept,
    gpu_arithmetic,
    one_thread,
    tiny_numbers_as_zero,
)
from zoogen.images.sets import ImageSet
from zoogen.progress import Report
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.manifest import Failure, file_entry
from zoogen.store.shards import shard_name, write_shard
from zoogen.store.table import (
    ShardNotes,
    TrainingPath,
    model_table,
    part_path,
    snapshot_table,
    write_table,
)
from zoogen.train.models import train_and_measure
from zoogen.train.snapshots import Snapshots

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class TrainedShard:
    """The trained models of one shard in memory: row i of an array is model ``configs[i]``."""

    configs: tuple[ModelConfig, ...]
    snapshots: Snapshots
    device: str
    path: TrainingPath


def train_shard(
    spec: ZooSpec,
    configs: tuple[ModelConfig, ...],
    images: ImageSet,
    *,
    path: TrainingPath,
    device: str,
    tf32: bool,
    report: Report,
) -> TrainedShard:
    """Train and measure the models of one shard, on one thread or one GPU."""
    with (
        one_thread(),
        freed_memory_kept(),
        tiny_numbers_as_zero(),
        gpu_arithmetic(tf32=tf32),
    ):
        snapshots = train_and_measure(
            spec, configs, images, path=path, device=device, report=report
        )
    name = device_name(device, tf32=tf32)
    return TrainedShard(configs=configs, snapshots=snapshots, device=name, path=path)


def write_trained(
    spec: ZooSpec, trained: TrainedShard, folder: Path, *, shard: int, images_sha256: str
) -> None:
    """Write the weights of a shard, then its rows, which mark the shard as finished.

    Raises:
        ZooError: If the folder cannot be written; no half-written file remains.
    """
    configs = trained.configs
    weights, measured = trained.snapshots.weights, trained.snapshots.measured
    failures = find_failures(spec, configs, trained.snapshots)
    failed = {failure.model for failure in failures}
    stored = [index for index, config in enumerate(configs) if config.model not in failed]
    write_shard(
        folder / shard_name(shard),
        weights[stored].reshape(-1, weights.shape[-1]),
        spec.network.layout,
    )
    rows = snapshot_table(
        planned_models(spec),
        [configs[index].model for index in stored],
        shard,
        {name: values[stored] for name, values in measured.items()},
        spec.stored_epochs,
    )
    notes = ShardNotes(
        spec=spec,
        images_sha256=images_sha256,
        models=tuple(config.model for config in configs),
        failures=tuple(failures),
        weights=file_entry(folder, shard_name(shard), len(rows)),
        device=trained.device,
        path=trained.path,
    )
    write_table(part_path(folder, shard), rows, notes)


@lru_cache(maxsize=1)
def planned_models(spec: ZooSpec) -> "pd.DataFrame":
    """Return the table of models, made once per process: large zoos have a thousand shards."""
    return model_table(spec)


def find_failures(
    spec: ZooSpec, configs: Sequence[ModelConfig], snapshots: Snapshots
) -> list[Failure]:
    """Return the models with numbers that are not finite, each with its first such snapshot."""
    finite = {"weights": np.isfinite(snapshots.weights).all(axis=2)}
    finite |= {name: np.isfinite(values) for name, values in snapshots.measured.items()}
    failures = []
    for index, config in enumerate(configs):
        first = {name: np.argmin(ok[index]) for name, ok in finite.items() if not ok[index].all()}
        if first:
            name = min(first, key=lambda name: first[name])
            epoch, reason = spec.stored_epochs[first[name]], f"{name} not finite"
            failures.append(Failure(model=config.model, epoch=epoch, reason=reason))
    return failures
