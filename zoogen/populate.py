"""One shard from spec to files: train its models, measure every epoch, write weights and rows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64

from zoogen.configs import ModelConfig
from zoogen.images import ImageSet
from zoogen.manifest import Failure, file_entry
from zoogen.measure import measure
from zoogen.shards import shard_name, write_shard
from zoogen.spec import ZooSpec
from zoogen.table import ShardNotes, model_table, part_path, snapshot_table, write_table
from zoogen.train import DeviceImages, filled, stacks, train_stack
from zoogen.workers import Report

MODELS_PER_STACK = 512


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: shards share the cores, and sums keep their order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def populate_shard(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: ImageSet,
    folder: Path,
    *,
    shard: int,
    device: str,
    report: Report,
) -> None:
    """Train the models of one shard and write its weights, then its rows.

    The rows are written last: where they are, the shard is whole.

    Raises:
        ZooError: If the folder cannot be written; nothing half-written is left.
    """
    with one_thread():
        weights, measured = train_and_measure(spec, configs, images, device=device, report=report)
    failures = find_failures(configs, weights, measured)
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
        spec.epochs,
    )
    notes = ShardNotes(
        spec=spec,
        images_sha256=images.checksum,
        models=tuple(config.model for config in configs),
        failures=tuple(failures),
        weights=file_entry(folder, shard_name(shard), len(rows)),
    )
    write_table(part_path(folder, shard), rows, notes)


def train_and_measure(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: ImageSet,
    *,
    device: str,
    report: Report,
    models_per_stack: int = MODELS_PER_STACK,
) -> tuple[
    Float32[np.ndarray, "models epochs params"], dict[str, Float64[np.ndarray, "models epochs"]]
]:
    """Train models in stacks; return every snapshot and its measurements, in the order given."""
    on_device = DeviceImages.of(images, device)
    place_of = {config.model: place for place, config in enumerate(configs)}
    weights = np.empty((len(configs), spec.epochs, spec.network.layout.params), np.float32)
    measured = defaultdict[str, np.ndarray](lambda: np.empty((len(configs), spec.epochs)))
    for stack in stacks(configs, models_per_stack):
        places = [place_of[config.model] for config in stack]
        trained = train_stack(spec, filled(stack), on_device, device=device)
        for epoch, tensors in enumerate(trained):
            vectors = torch.cat([tensor.flatten(1) for tensor in tensors.values()], dim=1)
            weights[places, epoch] = vectors[: len(stack)].cpu().numpy()
            columns = measure(spec.network, tensors, on_device, stack[0].activation)
            for name, column in columns.items():
                measured[name][places, epoch] = column[: len(stack)].cpu().numpy()
            report(len(stack))
    return weights, dict(measured)


def find_failures(
    configs: Sequence[ModelConfig],
    weights: Float32[np.ndarray, "models epochs params"],
    measured: dict[str, Float64[np.ndarray, "models epochs"]],
) -> list[Failure]:
    """Name the models that left the finite numbers, with the first epoch at which they did."""
    finite = {"weights": np.isfinite(weights).all(axis=2)}
    finite |= {name: np.isfinite(values) for name, values in measured.items()}
    failures = []
    for place, config in enumerate(configs):
        lost = {name: np.argmin(ok[place]) for name, ok in finite.items() if not ok[place].all()}
        if lost:
            name = min(lost, key=lambda name: lost[name])
            epoch, reason = int(lost[name]) + 1, f"{name} not finite"
            failures.append(Failure(model=config.model, epoch=epoch, reason=reason))
    return failures
