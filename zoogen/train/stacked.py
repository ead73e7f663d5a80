"""Train and measure models as stacks in torch: on a GPU, or where no kernel can run."""

from collections.abc import Sequence

import torch

from zoogen.images.sets import ImageSet
from zoogen.progress import Report
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.train.loop import DeviceImages, batch_sizes, padded_stack, stacks, train_stack
from zoogen.train.measure import measure
from zoogen.train.networks import runs_of
from zoogen.train.snapshots import Snapshots
from zoogen.train.tally import properties
from zoogen.train.tuning import images_at_once, images_per_gradient, models_per_stack


def train_and_measure(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: ImageSet,
    *,
    device: str,
    report: Report,
    stack_size: int | None = None,
) -> Snapshots:
    """Train models in stacks; return their snapshots, measured, in the order of ``configs``."""
    on_device = DeviceImages.of(images, device)
    place_of = {config.model: place for place, config in enumerate(configs)}
    snapshots = Snapshots.room(spec, len(configs))
    size = stack_size or models_per_stack(spec.network, spec.batch_size, device)
    for stack in stacks(configs, size):
        places = [place_of[config.model] for config in stack]
        shown = on_device.shown(stack[0].train_fraction)
        full = padded_stack(stack, spec.network, batches(spec, shown, device))
        runs = runs_of(config.activation for config in full)
        mine = [full.index(config) for config in stack]
        training = train_stack(spec, full, shown, device=device, report=for_each(stack, report))
        # No tensor of an epoch outlives it: kept for 75 epochs, they would fragment the heap to
        # twice its size.
        for stored, trained in enumerate(training):
            tensors = trained.weights.values()
            vectors = torch.cat([tensor.flatten(1) for tensor in tensors], dim=1)
            train, test = measure(spec.network, trained.weights, shown, runs)
            running = train.accuracy if trained.running is None else trained.running.cpu().numpy()
            columns = properties(train, test, running)
            own = {name: column[mine] for name, column in columns.items()}
            snapshots.keep(places, stored, vectors[mine].cpu().numpy(), own)
    return snapshots


def for_each(stack: Sequence[ModelConfig], report: Report) -> Report:
    """Report images for all models of a stack, without those that pad it."""
    models = len(stack)
    return lambda images: report(models * images)


def batches(spec: ZooSpec, images: DeviceImages, device: str) -> set[int]:
    """Return all numbers of images that are shown at once, in training and in measuring."""
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
