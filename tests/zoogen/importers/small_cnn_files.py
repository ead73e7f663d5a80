"""A miniature Small CNN Zoo, in the format of google-research/dnn_predict_accuracy."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from zoogen import Zoo

LAYOUT = """\
varname,start_idx,end_idx,size,shape
sequential/conv2d/bias:0,0,16,16,"(16,)"
sequential/conv2d/kernel:0,16,160,144,"(3, 3, 1, 16)"
sequential/conv2d_1/bias:0,160,176,16,"(16,)"
sequential/conv2d_1/kernel:0,176,2480,2304,"(3, 3, 16, 16)"
sequential/conv2d_2/bias:0,2480,2496,16,"(16,)"
sequential/conv2d_2/kernel:0,2496,4800,2304,"(3, 3, 16, 16)"
sequential/dense/bias:0,4800,4810,10,"(10,)"
sequential/dense/kernel:0,4810,4970,160,"(16, 10)"
"""
STEPS = (0, 1, 2, 3, 20, 40, 60, 80, 86)
"""Epochs of the nine snapshots of a run."""

INITIALISERS = {
    "xavier_normal": "glorot_normal",
    "kaiming_normal": "he_normal",
    "orthogonal": "orthogonal",
    "normal": "RandomNormal",
    "truncated_normal": "TruncatedNormal",
}


def tensorflow_vectors(zoo: Zoo) -> Float32[np.ndarray, "snapshots params"]:
    """Return weights in TensorFlow's layout: biases first, kernels as height, width, in, out."""
    pieces = []
    for layer in ("conv1", "conv2", "conv3", "fc1"):
        kernel = zoo.weights.tensor(f"{layer}.weight")
        axes = (0, 3, 4, 2, 1) if kernel.ndim == 5 else (0, 2, 1)
        pieces += [zoo.weights.tensor(f"{layer}.bias"), kernel.transpose(axes)]
    return np.concatenate([piece.reshape(len(piece), -1) for piece in pieces], axis=1)


def metrics(zoo: Zoo, dataset: str = "mnist") -> pd.DataFrame:
    """Return the metrics table, columns in the published order."""
    rows = zoo.properties
    uid = [f"{model:032x}" for model in rows["model"]]
    folder = pd.Series([f"/zoo/{dataset}/{one}" for one in uid])
    steps = [STEPS[epoch] for epoch in rows["epoch"]]
    paths = [f"{one}/permanent_ckpt-{step}" for one, step in zip(folder, steps, strict=True)]
    return pd.DataFrame(
        {
            "config.activation": rows["activation"].to_numpy(),
            "config.b_init": "zeros",
            "config.dataset": dataset,
            "config.dnn_architecture": "cnn",
            "config.dropout": rows["dropout"].to_numpy(),
            "config.epochs": 86,
            "config.epochs_between_checkpoints": 20,
            "config.init_std": rows["init_std"].to_numpy(),
            "config.l2reg": rows["weight_decay"].to_numpy(),
            "config.learning_rate": rows["learning_rate"].to_numpy(),
            "config.num_layers": 3,
            "config.num_units": 16,
            "config.optimizer": rows["optimiser"].to_numpy(),
            "config.random_seed": 42,
            "config.train_fraction": rows["train_fraction"].to_numpy(),
            "config.w_init": rows["initialiser"].map(INITIALISERS).to_numpy(),
            "modeldir": folder.to_numpy(),
            "step": steps,
            "test_accuracy": rows["test_accuracy"].to_numpy(),
            "test_loss": rows["test_loss"].to_numpy(),
            "train_accuracy": rows["train_accuracy"].to_numpy(),
            "train_loss": rows["train_loss"].to_numpy(),
        },
        index=paths,
    )


def shuffled(rows: int) -> Int64[np.ndarray, " rows"]:
    """Return an order that scatters the epochs of a model."""
    return np.random.default_rng(1).permutation(rows)


def write_small_cnn_zoo(
    folder: Path,
    table: pd.DataFrame,
    vectors: Float32[np.ndarray, "snapshots params"],
    layout: str = LAYOUT,
) -> Path:
    """Write the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "weights.npy", vectors)
    with gzip.open(folder / "metrics.csv.gz", "wt") as file:
        table.to_csv(file)
    (folder / "layout.csv").write_text(layout)
    return folder


def small_cnn_files(zoo: Zoo, folder: Path) -> Path:
    """Write one of our zoos as a Small CNN Zoo, rows shuffled."""
    order = shuffled(len(zoo.weights))
    return write_small_cnn_zoo(folder, metrics(zoo).iloc[order], tensorflow_vectors(zoo)[order])
