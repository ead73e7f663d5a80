"""The training loop; validation after each epoch chooses the network that is returned."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from math import isfinite
from pathlib import Path
from time import monotonic, perf_counter

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from baselines.self_supervised.augmentations import Permutations, permutations_of, view
from baselines.self_supervised.checkpoint import (
    Epoch,
    Identity,
    read_checkpoint,
    write_checkpoint,
)
from baselines.self_supervised.losses import objective
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.precision import mixed_precision
from baselines.self_supervised.run import Run, checkpoint_of, fresh_run, restore, steps_per_epoch
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.validate import validate
from zoogen import Layout, Weights, ZooError
from zoogen.device import check_device
from zoogen.locks import locked
from zoogen.progress import progress_bar

REVISION = 4
"""Raised with every change that alters the result of training; older checkpoints are not used."""

KEEP_SECONDS = 30
"""Seconds between two checkpoints, at least."""


def train(
    train: Weights, validation: Weights, settings: Settings, *, seed: int, folder: Path
) -> Autoencoder:
    """Train on the weights of a zoo; return the network after the epoch with the best validation.

    An interrupted run resumes from its last checkpoint, with the same result as without the
    interruption.

    Args:
        train: Weights to train on.
        validation: Weights that choose the epoch; they are not trained on.
        settings: Settings of the run.
        seed: Seed of initial weights, order of snapshots, views and dropout.
        folder: Folder of the checkpoints.

    Raises:
        ZooError: If the loss is not finite, the folder holds another run, the layout does not fit
            the settings, or the device does not exist. The last checkpoint is kept.
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
                train_epochs(run, (vectors, held_out), train.layout, permutations, identity, folder)
    run.network.load_state_dict(run.best_state)
    return run.network.eval()


def identity_of(train: Weights, validation: Weights, settings: Settings, *, seed: int) -> Identity:
    """Return everything that determines a run."""
    return Identity(
        revision=REVISION,
        settings=settings,
        layout=train.layout.shapes,
        data_sha256=data_sha256(train, validation),
        seed=seed,
    )


def data_sha256(*parts: Weights) -> str:
    """Hash training and validation weights."""
    digest = sha256()
    for part in parts:
        digest.update(np.asarray(part).data)
    return digest.hexdigest()


def on_device(weights: Weights, device: str) -> Float[Tensor, "snapshots params"]:
    """Read weights into a tensor on a device."""
    return torch.from_numpy(np.asarray(weights)).to(device)


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's generators, for initial weights and dropout; restore them afterwards."""
    devices = [] if device == "cpu" else [torch.device(device)]
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


def train_epochs(
    run: Run,
    parts: tuple[Float[Tensor, "snapshots params"], Float[Tensor, "_validation params"]],
    layout: Layout,
    permutations: Permutations | None,
    identity: Identity,
    folder: Path,
) -> None:
    """Train until the last planned epoch, or until validation has stopped improving."""
    settings, (vectors, held_out) = identity.settings, parts
    written = monotonic()
    title, done = f"train on {len(vectors)} snapshots", len(run.history)
    with progress_bar(title, things="epochs", total=run.epochs, unit="epochs", done=done) as report:
        while not is_finished(run, settings):
            begin = perf_counter()
            train_loss = one_epoch(run, vectors, permutations, settings, folder)
            loss, r2 = validate(run.network, held_out, layout, settings)
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
    """Tell whether all epochs are done, or the best one is too long ago."""
    done = len(run.history)
    return done >= run.epochs or done - run.best >= settings.patience


def note(epoch: Epoch) -> str:
    """Return the note beside the progress bar."""
    r2 = "" if epoch.r2 is None else f", R² {100 * epoch.r2:.1f} %"
    return f"train: loss {epoch.train_loss:.4f}{r2}"


def keep_if_best(run: Run) -> None:
    """Copy the network if its validation loss is the lowest so far."""
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
    """Train once on all snapshots in a new order, in whole batches; return the mean loss.

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
    """Return the error for a loss that is not finite: where it happened and what was kept."""
    kept = f"the last good checkpoint is in {folder}; " if run.history else ""
    return ZooError(
        f"the loss was {loss} {where} of epoch {len(run.history) + 1}; {kept}"
        f"try a learning_rate below {settings.learning_rate}"
    )


def one_step(
    run: Run,
    vectors: Float[Tensor, "batch params"],
    permutations: Permutations | None,
    settings: Settings,
) -> Float[Tensor, ""]:
    """Take one step on two views of each vector; return the loss before it."""
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
