"""The state of a training run: set up, saved to a checkpoint and restored from one."""

from dataclasses import dataclass
from math import ceil

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from baselines.self_supervised.checkpoint import Checkpoint, Epoch
from baselines.self_supervised.networks import Autoencoder, tensor_scale
from baselines.self_supervised.settings import Settings
from zoogen import Layout

FACTOR, PATIENCE, THRESHOLD = 0.3, 10, 1e-4
"""Factor, patience in epochs and relative threshold of ``plateau``, as in the authors' code."""

WARM_UP = 0.15
"""Share of the steps in which ``one-cycle`` raises the learning rate."""


@dataclass
class Run:
    """Everything that changes during training, and the planned number of epochs.

    Attributes:
        network: The network being trained.
        optimiser: Its optimiser.
        schedule: Schedule of the learning rate.
        epochs: Most epochs to train.
        generator: Source of the order of snapshots and of all views.
        history: One entry per finished epoch.
        best: Number of the epoch with the lowest validation loss, counted from 1; 0 at the start.
        best_state: State of the network after that epoch.
    """

    network: Autoencoder
    optimiser: torch.optim.Optimizer
    schedule: LRScheduler
    epochs: int
    generator: Generator
    history: list[Epoch]
    best: int
    best_state: dict[str, Tensor]


def fresh_run(
    vectors: Float[Tensor, "snapshots params"], layout: Layout, settings: Settings, *, seed: int
) -> Run:
    """Set up a run before its first step."""
    network = Autoencoder(layout, settings)
    if settings.normalise:
        network.scale.copy_(tensor_scale(vectors, layout))
    network = network.to(settings.device)
    epochs = planned_epochs(settings, len(vectors))
    optimiser = torch.optim.Adam(
        network.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    schedule: LRScheduler
    if settings.schedule == "plateau":
        schedule = ReduceLROnPlateau(
            optimiser, factor=FACTOR, patience=PATIENCE, threshold=THRESHOLD
        )
    else:
        schedule = OneCycleLR(
            optimiser,
            max_lr=settings.learning_rate,
            total_steps=epochs * steps_per_epoch(len(vectors), settings.batch) + 1,
            pct_start=WARM_UP,
            cycle_momentum=False,
        )
    generator = Generator(settings.device).manual_seed(seed)
    return Run(network, optimiser, schedule, epochs, generator, [], 0, {})


def steps_per_epoch(snapshots: int, batch: int) -> int:
    """Return the number of whole batches, or 1 if there are too few snapshots for one."""
    return max(1, snapshots // batch)


def planned_epochs(settings: Settings, snapshots: int) -> int:
    """Return the number of epochs, raised if the settings ask for more steps."""
    return max(settings.epochs, ceil(settings.steps / steps_per_epoch(snapshots, settings.batch)))


def checkpoint_of(run: Run, *, finished: bool) -> Checkpoint:
    """Return the state of a run as a checkpoint."""
    tensors = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in run.best_state.items()}
    for number, state in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in state.items()}
    tensors["random.views"] = run.generator.get_state()
    tensors["random.dropout"] = dropout_state(run.generator.device)
    return Checkpoint(
        history=tuple(run.history),
        best=run.best,
        finished=finished,
        schedule=run.schedule.state_dict(),
        tensors=tensors,
    )


def restore(run: Run, checkpoint: Checkpoint) -> None:
    """Put a fresh run into the state of a checkpoint."""
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimiser": {}, "random": {}}
    for name, tensor in checkpoint.tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    run.network.load_state_dict(parts["network"])
    run.best_state = parts["best"]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts["optimiser"].items():
        number, _, rest = name.partition(".")
        state.setdefault(int(number), {})[rest] = tensor
    run.schedule.load_state_dict(checkpoint.schedule)
    groups = run.optimiser.state_dict()["param_groups"]
    groups[0]["lr"] = checkpoint.history[-1].learning_rate
    run.optimiser.load_state_dict({"state": state, "param_groups": groups})
    run.generator.set_state(parts["random"]["views"])
    set_dropout_state(run.generator.device, parts["random"]["dropout"])
    run.history, run.best = list(checkpoint.history), checkpoint.best


def dropout_state(device: torch.device) -> Tensor:
    """Return the state of the generator that dropout draws from."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def set_dropout_state(device: torch.device, state: Tensor) -> None:
    """Restore the state of the generator that dropout draws from."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
