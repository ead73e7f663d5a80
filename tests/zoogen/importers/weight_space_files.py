"""Data sets pickled as the 2021 paper's authors did, with their class names."""

import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PosixPath
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from zoogen import Zoo

SPLITS = {"trainset": "train", "valset": "validation", "testset": "test"}
SETTINGS = {
    "model::nlin": "activation",
    "model::init_type": "initialiser",
    "model::dropout": "dropout",
    "optim::lr": "learning_rate",
    "optim::wd": "weight_decay",
}


class SimCLRDataset:
    """Pickled under the authors' module name."""


class RandomErasingVector(nn.Module):
    """Pickled under the authors' module name."""

    def __init__(self) -> None:
        super().__init__()
        self.p, self.scale, self.value, self.mode = 0.5, (0.02, 0.33), 0, "block"


class GoogleDatasetSimCLR:
    """Pickled under the authors' module name."""


HOMES = {
    SimCLRDataset: "checkpoints_to_datasets.dataset_simclr",
    RandomErasingVector: "checkpoints_to_datasets.random_erasing",
    GoogleDatasetSimCLR: "checkpoints_to_datasets.dataset_google_simclr",
}


@contextmanager
def as_the_authors() -> Iterator[None]:
    """Pickle the classes as if they came from the authors' modules."""
    modules = {"checkpoints_to_datasets": ModuleType("checkpoints_to_datasets")}
    for cls, home in HOMES.items():
        modules[home] = ModuleType(home)
        setattr(modules[home], cls.__name__, cls)
        cls.__module__ = home
    sys.modules |= modules
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        for cls in HOMES:
            cls.__module__ = __name__


def data_set(zoo: Zoo, rows: pd.DataFrame, split: str, *, varied: bool) -> SimCLRDataset:
    """Make one split: vectors, labels, properties, and everything else the authors pickled."""
    made: Any = SimCLRDataset()
    runs = [f"/zoos/{zoo.spec.name}/NN_tune_trainable_{m:05d}_seed={m}" for m in rows["model"]]
    layers = [(0, "conv2d"), (3, "conv2d"), (6, "conv2d"), (9, "fc"), (11, "fc")]
    if zoo.layout.params == 100:
        layers = [(0, "fc"), (2, "fc")]
    made.data_in = [torch.from_numpy(zoo.weights[int(row)].copy()) for row in rows.index]
    made.data_out = [vector.clone() for vector in made.data_in]
    made.labels_in = [
        f"{run}#_#epoch_{epoch}#_#layer_{layers}"
        for run, epoch in zip(runs, rows["epoch"], strict=True)
    ]
    made.labels_out = list(made.labels_in)
    made.paths, made.epochs = [PosixPath(run) for run in runs], rows["epoch"].tolist()
    made.properties = {
        "test_acc": rows["test_accuracy"].tolist(),
        "training_iteration": rows["epoch"].tolist(),
        "ggap": [np.float64(gap) for gap in rows["generalisation_gap"]],
    }
    if varied:
        made.properties |= {key: rows[name].tolist() for key, name in SETTINGS.items()}
    made.root, made.path_list = [PosixPath("/zoos")], sorted(set(made.paths))
    made.layer_lst, made.epoch_lst = layers, sorted(set(made.epochs))
    made.mode, made.task, made.use_bias = "vector", "reconstruction", zoo.layout.params != 100
    made.ds_split, made.train_val_test = [0.7, 0.15, 0.15], split
    made.weight_threshold, made.verbosity, made.num_threads = float("inf"), 0, 4
    made.property_keys = {"result_keys": list(made.properties), "config_keys": []}
    made.permutation_index_list = [list(range(zoo.layout.params)) for _ in range(3)]
    made.permutations_dct_lst, made.permutations_index = [{0: [1, 0]}], [0, 1, 2]
    made.checkpoint_base = OrderedDict(
        (f"module_list.{name}", tensor) for name, tensor in zoo.state_dict(0).items()
    )
    made.erase_augment = RandomErasingVector() if split == "train" else None
    return made


def weight_space_file(zoo: Zoo, path: Path, *, varied: bool = False, **changes: Any) -> Path:
    """Write one of our zoos as the authors would.

    Args:
        zoo: The zoo to write.
        path: The ``.pt`` file to write.
        varied: Whether to add settings to the properties, as in the ``-hyp`` zoos.
        **changes: Functions by name of split, called with that data set before it is written.
    """
    sets = {}
    for name, split in SPLITS.items():
        rows = zoo.properties
        sets[name] = data_set(zoo, rows[rows["split"] == split], split, varied=varied)
        if name in changes:
            changes[name](sets[name])
    with as_the_authors():
        torch.save(sets, path)
    return path
