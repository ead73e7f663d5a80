"""One shard from spec to files: train its models, measure every epoch, write weights and rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64

from zoogen.configs import ModelConfig
from zoogen.device import (
    freed_memory_kept,
    in_words,
    multiplied_in,
    one_thread,
    tiny_numbers_as_zero,
)
from zoogen.images import ImageSet
from zoogen.manifest import Failure, file_entry
from zoogen.measure import measure
from zoogen.networks import runs_of
from zoogen.shards import shard_name, write_shard
from zoogen.spec import ZooSpec
from zoogen.table import ShardNotes, model_table, part_path, snapshot_table, write_table
from zoogen.train import DeviceImages, batch_sizes, filled, stacks, train_stack
from zoogen.tuning import images_at_once, images_per_gradient, models_per_stack
from zoogen.workers import Report


@dataclass(frozen=True, kw_only=True)
class TrainedShard:
    """The models of one shard before they are files: row i of an array is model ``configs[i]``."""

    configs: tuple[ModelConfig, ...]
    weights: Float32[np.ndarray, "models stored params"]
    measured: dict[str, Float64[np.ndarray, "models stored"]]
    device: str


def train_shard(
    spec: ZooSpec,
    configs: tuple[ModelConfig, ...],
    images: ImageSet,
    *,
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
        weights, measured = train_and_measure(spec, configs, images, device=device, report=report)
    words = in_words(device, tf32=tf32)
    return TrainedShard(configs=configs, weights=weights, measured=measured, device=words)


def write_trained(
    spec: ZooSpec, trained: TrainedShard, folder: Path, *, shard: int, images_sha256: str
) -> None:
    """Write the weights of a shard, then its rows: where they are, the shard is whole.

    Raises:
        ZooError: If the folder cannot be written; nothing half-written is left.
    """
    configs, weights, measured = trained.configs, trained.weights, trained.measured
    failures = find_failures(spec, configs, weights, measured)
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
    )
    write_table(part_path(folder, shard), rows, notes)


def train_and_measure(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: ImageSet,
    *,
    device: str,
    report: Report,
    stack_size: int | None = None,
) -> tuple[
    Float32[np.ndarray, "models stored params"], dict[str, Float64[np.ndarray, "models stored"]]
]:
    """Train models in stacks; return every snapshot and its measurements, in the order given."""
    on_device = DeviceImages.of(images, device)
    place_of = {config.model: place for place, config in enumerate(configs)}
    snapshots = (len(configs), len(spec.stored_epochs))
    weights = np.empty((*snapshots, spec.network.layout.params), np.float32)
    measured = defaultdict[str, np.ndarray](lambda: np.empty(snapshots))
    size = stack_size or models_per_stack(spec.network, spec.batch_size, device)
    for stack in stacks(configs, size):
        places = [place_of[config.model] for config in stack]
        shown = on_device.shown(stack[0].train_fraction)
        full = filled(stack, spec.network, batches(spec, shown, device))
        runs = runs_of(config.activation for config in full)
        mine = torch.tensor([full.index(config) for config in stack], device=device)
        trained = train_stack(spec, full, shown, device=device, report=for_each(stack, report))
        # No tensor of an epoch outlives it: between what training takes and frees, the pieces of 75
        # epochs would let the heap grow to twice its size.
        for stored, tensors in enumerate(trained):
            vectors = torch.cat([tensor.flatten(1) for tensor in tensors.values()], dim=1)
            weights[places, stored] = vectors[mine].cpu().numpy()
            for name, column in measure(spec.network, tensors, shown, runs).items():
                measured[name][places, stored] = column[mine].cpu().numpy()
    return weights, dict(measured)


def for_each(stack: Sequence[ModelConfig], report: Report) -> Report:
    """Report for every model of a stack, those left out that only fill it."""
    models = len(stack)
    return lambda images: report(models * images)


def batches(spec: ZooSpec, images: DeviceImages, device: str) -> set[int]:
    """Return every number of images the networks are shown at once, in training or measuring."""
    train, test = len(images.train_labels), len(images.test_labels)
    parts = images_per_gradient(spec.network, spec.batch_size, device)
    measured = images_at_once(spec.network, device)
    return (
        {
            shown
            for size in batch_sizes(train, spec.batch_size)
            for shown in batch_sizes(size, parts)
        }
        | batch_sizes(train, measured)
        | batch_sizes(test, measured)
    )


def find_failures(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    weights: Float32[np.ndarray, "models stored params"],
    measured: dict[str, Float64[np.ndarray, "models stored"]],
) -> list[Failure]:
    """Name the models that left the finite numbers, with the first snapshot at which they had."""
    finite = {"weights": np.isfinite(weights).all(axis=2)}
    finite |= {name: np.isfinite(values) for name, values in measured.items()}
    failures = []
    for place, config in enumerate(configs):
        lost = {name: np.argmin(ok[place]) for name, ok in finite.items() if not ok[place].all()}
        if lost:
            name = min(lost, key=lambda name: lost[name])
            epoch, reason = spec.stored_epochs[lost[name]], f"{name} not finite"
            failures.append(Failure(model=config.model, epoch=epoch, reason=reason))
    return failures
