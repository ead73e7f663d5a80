"""A training run on disk after a whole epoch: tensors in safetensors, the rest in JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file
from torch import Tensor

from baselines.self_supervised.settings import Settings
from zoogen import IntegrityError, ZooError
from zoogen.atomic import sha256_of, write_text
from zoogen.tensors import save_tensors

RUN = "run.json"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything that determines a run; a checkpoint is resumed only if all of it matches.

    Attributes:
        revision: Revision of the training code.
        settings: Settings of the method.
        layout: Shapes of the tensors, by name.
        data_sha256: Hash of the training and validation weights, in order.
        seed: Seed of all random draws.
    """

    revision: int
    settings: Settings
    layout: dict[str, tuple[int, ...]]
    data_sha256: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """Outcome of one pass over the training snapshots.

    Attributes:
        train_loss: Mean loss over the steps.
        validation_loss: Loss after the pass.
        r2: R² of the reconstructed validation weights; None without a reconstruction loss.
        learning_rate: Learning rate of the next step.
        seconds: Duration, with validation.
    """

    train_loss: float
    validation_loss: float
    r2: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """State of a run after some of its epochs.

    Attributes:
        history: One entry per epoch.
        best: Number of the epoch with the lowest validation loss, counted from 1.
        finished: Whether the run has ended.
        schedule: State of the learning rate schedule.
        tensors: State of networks, optimiser and random generators, by name.
    """

    history: tuple[Epoch, ...]
    best: int
    finished: bool
    schedule: dict[str, Any]
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Content of the JSON file."""

    identity: Identity
    history: tuple[Epoch, ...]
    best: int
    finished: bool
    schedule: dict[str, Any]
    tensors: str
    tensors_sha256: str


RECORD_JSON = TypeAdapter(Record)


def write_checkpoint(folder: Path, identity: Identity, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the previous one is removed only once this one is complete.

    Raises:
        ZooError: If the folder cannot be written; the previous checkpoint is kept.
    """
    name = f"epoch-{len(checkpoint.history):05d}.safetensors"
    arrays = {key: tensor.cpu().numpy() for key, tensor in checkpoint.tensors.items()}
    save_tensors(folder / name, arrays, {})
    record = Record(
        identity=identity,
        history=checkpoint.history,
        best=checkpoint.best,
        finished=checkpoint.finished,
        schedule=checkpoint.schedule,
        tensors=name,
        tensors_sha256=sha256_of(folder / name),
    )
    write_text(folder / RUN, RECORD_JSON.dump_json(record, indent=1).decode() + "\n")
    for other in folder.glob("epoch-*.safetensors"):
        if other.name != name:
            other.unlink()


def read_checkpoint(folder: Path, identity: Identity | None = None) -> Checkpoint | None:
    """Return the checkpoint in a folder, or None if there is none.

    Args:
        folder: Folder of the run.
        identity: Identity the run must have; None accepts any run.

    Raises:
        ZooError: If the run has other settings, layout, data or seed; the message names the first
            difference.
        IntegrityError: If a file is missing or damaged.
    """
    path = folder / RUN
    if not path.exists():
        return None
    try:
        record = RECORD_JSON.validate_json(path.read_bytes())
    except ValidationError as error:
        raise IntegrityError(f"{path}: {error.errors()[0]['msg']}; remove {folder}") from error
    if identity is not None:
        refuse_other(folder, record.identity, identity)
    tensors = folder / record.tensors
    if not tensors.is_file() or sha256_of(tensors) != record.tensors_sha256:
        raise IntegrityError(f"{tensors} is not the file {RUN} names; remove {folder}")
    try:
        arrays: dict[str, np.ndarray] = load_file(tensors)
    except SafetensorError as error:
        raise IntegrityError(f"{tensors}: {error}; remove {folder}") from error
    return Checkpoint(
        history=record.history,
        best=record.best,
        finished=record.finished,
        schedule=record.schedule,
        tensors={key: torch.from_numpy(array) for key, array in arrays.items()},
    )


def refuse_other(folder: Path, found: Identity, expected: Identity) -> None:
    """Refuse a run with another identity."""
    wanted, stored = (flat(json.loads(json.dumps(asdict(one)))) for one in (expected, found))
    for key, value in wanted.items():
        if stored.get(key) != value:
            raise ZooError(
                f"{folder} holds a run with {key}={stored.get(key)}, expected {value}; "
                "choose another folder or remove this one"
            )


def flat(identity: dict[str, Any]) -> dict[str, Any]:
    """Put the settings on a level with the other fields."""
    return {**identity.pop("settings"), **identity}
