"""Folders of trials as Ray Tune writes them, with either naming of checkpoints."""

import json
from collections import OrderedDict
from pathlib import Path

import torch

from zoogen import Zoo

PLAIN, SHIFTED = (0, 3, 6, 9, 11), (0, 4, 8, 11, 14)
"""Numbers of the layers without and with dropout."""

POISON = b"cos\nsystem\n(S'echo poisoned > /tmp/poisoned'\ntR."
"""A pickle that runs a command; placed in files that no importer may read."""


def state_dict(zoo: Zoo, row: int, *, dropout: float) -> "OrderedDict[str, torch.Tensor]":
    """Return a row's tensors under the names of the authors' module list."""
    numbers = SHIFTED if dropout > 0 else PLAIN
    layers = dict(zip(("conv1", "conv2", "conv3", "fc1", "fc2"), numbers, strict=True))
    named = OrderedDict()
    for name, tensor in zoo.state_dict(row).items():
        layer, _, part = name.partition(".")
        named[f"module_list.{layers[layer]}.{part}"] = tensor.clone()
    return named


def settings(row: "dict[str, object]") -> dict[str, object]:
    return {
        "model::type": "CNN",
        "model::channels_in": 1,
        "model::nlin": row["activation"],
        "model::dropout": row["dropout"],
        "model::init_type": row["initialiser"],
        "model::use_bias": True,
        "optim::optimizer": row["optimiser"],
        "optim::lr": row["learning_rate"],
        "optim::wd": row["weight_decay"],
        "optim::momentum": 0.9,
        "seed": row["seed"],
        "training::batchsize": 16,
    }


def result_line(row: "dict[str, object]", config: dict[str, object]) -> dict[str, object]:
    return {
        "train_loss": row["train_loss"],
        "train_acc": row["train_accuracy"],
        "test_loss": row["test_loss"],
        "test_acc": row["test_accuracy"],
        "training_iteration": row["epoch"],
        "trial_id": f"0a1b2_{row['model']:05d}",
        "config": config,
    }


def ray_files(zoo: Zoo, folder: Path, *, digits: int = 6) -> Path:
    """Write one of our zoos as trials.

    Args:
        zoo: The zoo to write.
        folder: The folder to create.
        digits: Digits in checkpoint names: 6 in new versions of Ray, 1 in old ones.
    """
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "dataset.pt").write_bytes(POISON)
    rows = zoo.properties.to_dict("records")
    for place, row in enumerate(rows):
        config = settings(row)
        trial = folder / f"NN_tune_trainable_0a1b2_{row['model']:05d}_seed={row['seed']}_2021-05-01"
        checkpoint = trial / f"checkpoint_{row['epoch']:0{digits}d}"
        checkpoint.mkdir(parents=True)
        named = state_dict(zoo, place, dropout=float(row["dropout"]))
        torch.save(named, checkpoint / "checkpoints")
        for poisoned in ("optimizer", ".tune_metadata"):
            (checkpoint / poisoned).write_bytes(POISON)
        (checkpoint / ".is_checkpoint").touch()
        (trial / "params.json").write_text(json.dumps(config))
        (trial / "params.pkl").write_bytes(POISON)
        with (trial / "result.json").open("a") as file:
            file.write(json.dumps(result_line(row, config)) + "\n")
    return folder
