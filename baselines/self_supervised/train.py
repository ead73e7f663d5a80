"""The training loop: views, losses, steps; validation after each epoch chooses the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from math import ceil, isfinite
from pathlib import Path
from time import monotonic, perf_counter

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from baselines.self_supervised.augmentations import Permutations, permutations_of, view
from baselines.self_supervised.checkpoint import (
    Checkpoint,
    Epoch,
    Identity,
    read_checkpoint,
    write_checkpoint,
)
from baselines.self_supervised.losses import objective
from baselines.self_supervised.networks import Autoencoder, tensor_scale
from baselines.self_supervised.precision import mixed_precision
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.validate import validated
from zoogen import Layout, Weights, ZooError, check_device, locked, progress_bar

REVISION = 4
"""Raised whenever a change alters what training comes to: older checkpoints are left alone."""

KEEP_SECONDS = 30
"""Checkpoints are not written more often than this."""

FACTOR, PATIENCE, THRESHOLD = 0.3, 10, 1e-4
"""Of the plateau schedule, in epochs, as in the authors' code."""

WARM_UP = 0.15
"""Share of the steps in which ``one-cycle`` raises the learning rate."""


@dataclass
class Run:
    """All that changes while training goes on."""

    network: Autoencoder
    optimiser: torch.optim.Optimizer
    schedule: LRScheduler
    epochs: int
    generator: Generator
    history: list[Epoch]
    best: int
    best_state: dict[str, Tensor]


def train(
    train: Weights, validation: Weights, settings: Settings, *, seed: int, folder: Path
) -> Autoencoder:
    """Train on the weights of a zoo; return the network after its best epoch on validation.

    An interrupted run goes on from its last checkpoint and comes to what it would have come to.

    Args:
        train: To learn from.
        validation: To choose the epoch by; no gradient sees it.
        settings: Of the run.
        seed: Of initial weights, order of snapshots, views and dropout.
        folder: Of the checkpoints.

    Raises:
        ZooError: If the loss is no longer finite, the folder holds another run, the layout does
            not suit the settings, or there is no such device. The last checkpoint is kept.
    """
    check_device(settings.device, tf32=False)
    identity = identity_of(train, validation, settings, seed=seed)
    vectors, held_out = (on_device(part, settings.device) for part in (train, validation))
    permutations = permutations_of(train.layout) if settings.permute else None
    with seeded(seed, settings.device):
        run = fresh_run(vectors, train.layout, settings, seed=seed)
        with locked(folder, way_out="set ZOOBENCH_CACHE to another"):
            checkpoint = read_checkpoint(folder, identity)
            if checkpoint is not None:
                restore(run, checkpoint)
            if checkpoint is None or not checkpoint.finished:
                go_on(run, vectors, held_out, permutations, identity, folder)
    run.network.load_state_dict(run.best_state)
    return run.network.eval()


def identity_of(train: Weights, validation: Weights, settings: Settings, *, seed: int) -> Identity:
    """Return what a run is of."""
    return Identity(
        revision=REVISION,
        settings=settings,
        layout=train.layout.shapes,
        data_sha256=data_sha256(train, validation),
        seed=seed,
    )


def data_sha256(*parts: Weights) -> str:
    """Hash the weights a run is trained and chosen on."""
    digest = sha256()
    for part in parts:
        digest.update(np.asarray(part).data)
    return digest.hexdigest()


def on_device(weights: Weights, device: str) -> Float[Tensor, "snapshots params"]:
    """Read weights to where they are trained on."""
    return torch.from_numpy(np.asarray(weights)).to(device)


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Draw initial weights and dropout from the seed; the caller's generators are left alone."""
    devices = [] if device == "cpu" else [torch.device(device)]
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


def fresh_run(
    vectors: Float[Tensor, "snapshots params"], layout: Layout, settings: Settings, *, seed: int
) -> Run:
    """Set up a run that has not seen anything."""
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
    """Return how many whole batches there are, one smaller one if there is no whole one."""
    return max(1, snapshots // batch)


def planned_epochs(settings: Settings, snapshots: int) -> int:
    """Return how many epochs there are to be: as many as asked for, or for the steps asked for."""
    return max(settings.epochs, ceil(settings.steps / steps_per_epoch(snapshots, settings.batch)))


def go_on(
    run: Run,
    vectors: Float[Tensor, "snapshots params"],
    held_out: Float[Tensor, "_validation params"],
    permutations: Permutations | None,
    identity: Identity,
    folder: Path,
) -> None:
    """Train epoch after epoch until the last, or until validation has not improved for long."""
    settings, layout = identity.settings, Layout.of(identity.layout)
    written = monotonic()
    title = f"train on {len(vectors)} snapshots"
    done = len(run.history)
    with progress_bar(title, things="epochs", total=run.epochs, unit="epochs", done=done) as report:
        while not is_finished(run, settings):
            begin = perf_counter()
            train_loss = one_epoch(run, vectors, permutations, settings, folder)
            loss, r2 = validated(run.network, held_out, layout, settings)
            if not isfinite(loss):
                raise not_finite(run, loss, "on validation", settings, folder)
            if isinstance(run.schedule, ReduceLROnPlateau):
                run.schedule.step(train_loss)
            rate = run.optimiser.param_groups[0]["lr"]
            run.history.append(
                Epoch(
                    train_loss=train_loss,
                    validation_loss=loss,
                    r2=r2,
                    learning_rate=rate,
                    seconds=perf_counter() - begin,
                )
            )
            keep_if_best(run)
            finished = is_finished(run, settings)
            if finished or monotonic() - written > KEEP_SECONDS:
                write_checkpoint(folder, identity, checkpoint_of(run, finished=finished))
                written = monotonic()
            report(1, note(run.history[-1]))


def is_finished(run: Run, settings: Settings) -> bool:
    """Tell whether the last epoch is done, or the best one long past."""
    done = len(run.history)
    return done >= run.epochs or done - run.best >= settings.patience


def note(epoch: Epoch) -> str:
    """Say how training goes."""
    kept = "" if epoch.r2 is None else f", R² {100 * epoch.r2:.1f} %"
    return f"train: loss {epoch.train_loss:.4f}{kept}"


def keep_if_best(run: Run) -> None:
    """Copy the network if validation has never been better."""
    losses = [epoch.validation_loss for epoch in run.history]
    if losses[-1] <= min(losses):
        run.best = len(losses)
        run.best_state = {
            name: tensor.detach().clone() for name, tensor in run.network.state_dict().items()
        }


def one_epoch(
    run: Run,
    vectors: Float[Tensor, "snapshots params"],
    permutations: Permutations | None,
    settings: Settings,
    folder: Path,
) -> float:
    """Show every snapshot once, in a new order, and return the mean loss.

    Raises:
        ZooError: If the loss of a step is not finite; the message names the step.
    """
    run.network.train()
    order = torch.randperm(len(vectors), generator=run.generator, device=run.generator.device)
    steps = steps_per_epoch(len(vectors), settings.batch)
    losses = torch.stack(
        [
            one_step(run, vectors[rows], permutations, settings)
            for rows in order[: steps * settings.batch].split(settings.batch)
        ]
    )
    if not losses.isfinite().all():
        step = int(losses.isfinite().int().argmin()) + 1
        raise not_finite(run, float(losses[step - 1]), f"at step {step}", settings, folder)
    return float(losses.mean())


def not_finite(run: Run, loss: float, where: str, settings: Settings, folder: Path) -> ZooError:
    """Say where training broke, and what is left of it."""
    kept = f"the last good checkpoint is kept in {folder}, " if run.history else ""
    return ZooError(
        f"the loss was {loss} {where} of epoch {len(run.history) + 1}; {kept}"
        f"a lower learning_rate than {settings.learning_rate} may go on where this one cannot"
    )


def one_step(
    run: Run,
    vectors: Float[Tensor, "batch params"],
    permutations: Permutations | None,
    settings: Settings,
) -> Float[Tensor, ""]:
    """Take one step down the loss of two views of each vector; return the loss."""
    views = [
        view(
            vectors,
            permutations,
            erase=settings.erase,
            erased=settings.erased,
            noise=settings.noise,
            generator=run.generator,
        )
        for _ in range(2)
    ]
    with mixed_precision(vectors.device):
        loss, _ = objective(run.network, torch.cat(views), settings)
    run.optimiser.zero_grad()
    loss.backward()
    run.optimiser.step()
    if isinstance(run.schedule, OneCycleLR):
        run.schedule.step()
    return loss.detach()


def checkpoint_of(run: Run, *, finished: bool) -> Checkpoint:
    """Gather the state of a run."""
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
    """Bring a fresh run to where a checkpoint was written."""
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
    """Put that generator back to an earlier state."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
