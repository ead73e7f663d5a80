"""One shard from spec to files: train its models, measure every epoch, write weights and rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
from zoogen.train.device import (
    freed_memory_kept,
    in_words,
    multiplied_in,
    one_thread,
    tiny_numbers_as_zero,
)
from zoogen.train.snapshots import Snapshots


@dataclass(frozen=True, kw_only=True)
class TrainedShard:
    """The models of one shard before they are files: row i of an array is model ``configs[i]``."""

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
        multiplied_in(tf32=tf32),
    ):
        snapshots = train_and_measure(
            spec, configs, images, path=path, device=device, report=report
        )
    words = in_words(device, tf32=tf32)
    return TrainedShard(configs=configs, snapshots=snapshots, device=words, path=path)


def train_and_measure(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: ImageSet,
    *,
    path: TrainingPath,
    device: str,
    report: Report,
) -> Snapshots:
    """Train models by one path; return every snapshot and its measurements, in the order given."""
    if path == "kernels":
        from zoogen.train.kernels import population

        return population.train_and_measure(spec, configs, images, report=report)
    from zoogen.train import stacked

    return stacked.train_and_measure(spec, configs, images, device=device, report=report)


def write_trained(
    spec: ZooSpec, trained: TrainedShard, folder: Path, *, shard: int, images_sha256: str
) -> None:
    """Write the weights of a shard, then its rows: where they are, the shard is whole.

    Raises:
        ZooError: If the folder cannot be written; nothing half-written is left.
    """
    configs = trained.configs
    weights, measured = trained.snapshots.weights, trained.snapshots.measured
    failures = find_failures(spec, configs, trained.snapshots)
    failed = {failure.model for failure in failures}
    kept = [place for place, config in enumerate(configs) if config.model not in failed]
    write_shard(
        folder / shard_name(shard),
        weights[kept].reshape(-1, weights.shape[-1]),
        spec.network.layout,
    )
    rows = snapshot_table(
        model_table(spec),
        [configs[place].model for place in kept],
        shard,
        {name: values[kept] for name, values in measured.items()},
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


def find_failures(
    spec: ZooSpec, configs: Sequence[ModelConfig], snapshots: Snapshots
) -> list[Failure]:
    """Name the models that left the finite numbers, with the first snapshot at which they had."""
    finite = {"weights": np.isfinite(snapshots.weights).all(axis=2)}
    finite |= {name: np.isfinite(values) for name, values in snapshots.measured.items()}
    failures = []
    for place, config in enumerate(configs):
        lost = {name: np.argmin(ok[place]) for name, ok in finite.items() if not ok[place].all()}
        if lost:
            name = min(lost, key=lambda name: lost[name])
            epoch, reason = spec.stored_epochs[lost[name]], f"{name} not finite"
            failures.append(Failure(model=config.model, epoch=epoch, reason=reason))
    return failures
