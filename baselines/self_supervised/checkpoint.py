"""A training run on disk: tensors in safetensors, everything else in JSON, always a whole epoch."""

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
from zoogen import IntegrityError, ZooError, save_tensors, sha256_of, write_text

RUN = "run.json"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a run is of: only a run of the very same may be taken up again.

    Attributes:
        revision: Of the training code.
        settings: Of the run.
        layout: Of the weights.
        data_sha256: Of training and validation weights, in their order.
        seed: Of everything drawn.
    """

    revision: int
    settings: Settings
    layout: dict[str, tuple[int, ...]]
    data_sha256: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the training snapshots came to.

    Attributes:
        train_loss: Mean over the steps.
        validation_loss: After the pass.
        r2: Share of the variance of the validation weights that their reconstruction keeps;
            missing without a reconstruction loss.
        learning_rate: Of the step after it.
        seconds: The pass took.
    """

    train_loss: float
    validation_loss: float
    r2: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A run after some of its epochs.

    Attributes:
        history: One entry per epoch.
        best: Number of the epoch with the least validation loss, from 1.
        finished: Whether the run has ended.
        schedule: State of the learning rate schedule.
        tensors: Everything else there is to the run, by name.
    """

    history: tuple[Epoch, ...]
    best: int
    finished: bool
    schedule: dict[str, Any]
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the JSON file says."""

    identity: Identity
    history: tuple[Epoch, ...]
    best: int
    finished: bool
    schedule: dict[str, Any]
    tensors: str
    tensors_sha256: str


RECORD_JSON = TypeAdapter(Record)


def write_checkpoint(folder: Path, identity: Identity, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the one before goes only when this one is whole.

    Raises:
        ZooError: If the folder cannot be written; the checkpoint before is kept.
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
    """Read the checkpoint of a folder, or None if there is none.

    Args:
        folder: That of the run.
        identity: What it has to be a run of, if that matters.

    Raises:
        ZooError: If it is a run of other settings, another layout, data or seed; the message
            names the first difference.
        IntegrityError: If a file is damaged.
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
    """Refuse a run of anything else."""
    ours, theirs = (flat(json.loads(json.dumps(asdict(one)))) for one in (expected, found))
    for key, value in ours.items():
        if theirs.get(key) != value:
            raise ZooError(
                f"{folder} holds a run with {key}={theirs.get(key)}, expected {value}; "
                "choose another folder or remove this one"
            )


def flat(identity: dict[str, Any]) -> dict[str, Any]:
    """Put settings beside the other fields."""
    return {**identity.pop("settings"), **identity}
