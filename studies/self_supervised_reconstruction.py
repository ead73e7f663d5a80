"""Why do we reconstruct less? Run: ``python -m studies.self_supervised_reconstruction``.

Trains ED on tetris-seed for a short and for a long time. Prints the R² of permuted weights by the
epoch of the snapshots, on the train and the validation split, after the best and the last epoch of
training; the test split is not used. Takes half an hour of one core, the first time: training is
cached. Results and conclusions are in ``docs/decisions/0010-a-fast-schedule.md``.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Generator, Tensor

from baselines.self_supervised import SelfSupervised, fast
from baselines.self_supervised.augmentations import permutations_of, view
from baselines.self_supervised.checkpoint import read_checkpoint
from baselines.self_supervised.embedder import ROWS, run_folder
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.train import identity_of
from baselines.self_supervised.validate import kept_variance
from studies.self_supervised_schedule import STEEP_HEAD
from zoobench.embedders.embed import shuffle, shuffled
from zoogen import Split, Weights, Zoo, load_zoo

SHORT = replace(fast, beta=1.0)
LONG = replace(STEEP_HEAD, beta=1.0, heads=4, batch=100, epochs=50, patience=50)
EPOCHS = ((0, 75), (0, 5), (6, 15), (16, 30), (31, 50), (51, 75))
SEED = 0


def networks(embedder: SelfSupervised, zoo: Zoo) -> Iterator[tuple[str, Autoencoder]]:
    """Train, or read a checkpoint; yield the network after its best and its last epoch."""
    train, validation = (as_shown(zoo, split) for split in ("train", "validation"))
    embedder.fit(train, validation, seed=SEED)
    identity = identity_of(train, validation, embedder.settings, seed=SEED)
    checkpoint = read_checkpoint(run_folder(identity), identity)
    assert checkpoint is not None
    for saved, epoch in (("best", checkpoint.best), ("network", len(checkpoint.history))):
        state = {
            name.removeprefix(f"{saved}."): tensor
            for name, tensor in checkpoint.tensors.items()
            if name.startswith(f"{saved}.")
        }
        embedder.network.load_state_dict(state)
        yield f"epoch {epoch}", embedder.network


def as_shown(zoo: Zoo, split: Split) -> Weights:
    """Return the weights of a split in the order in which an evaluation shows them."""
    return shuffled(zoo, split, shuffle(zoo.part(split).weights, seed=SEED))


@torch.inference_mode()
def line(network: Autoencoder, zoo: Zoo, split: Split) -> str:
    """Return the R² of one split, permuted, for ranges of epochs."""
    part = zoo.part(split)
    vectors = torch.from_numpy(np.asarray(part.weights))
    views = view(
        vectors, permutations_of(part.weights.layout), generator=Generator().manual_seed(SEED)
    )
    decoded = torch.cat([network.reconstruct(network.embed(rows)) for rows in views.split(ROWS)])
    epochs = torch.tensor(part.properties["epoch"].to_numpy())
    shares = (r2(views, decoded, (epochs >= first) & (epochs <= last)) for first, last in EPOCHS)
    return " | ".join(f"{100 * each:.1f}" for each in shares)


def r2(views: Tensor, decoded: Tensor, rows: Tensor) -> float:
    """Return the share of the variance of some rows that the reconstruction keeps."""
    return kept_variance(views[rows], (decoded - views)[rows].square().sum(dtype=torch.float64))


def main() -> None:
    """Print one line per network and split."""
    zoo = load_zoo("tetris-seed")
    print(f"| run | after | split | {' | '.join(f'{a} to {b}' for a, b in EPOCHS)} |")
    for name, embedder in {"short": SHORT, "long": LONG}.items():
        for after, network in networks(embedder, zoo):
            for split in ("train", "validation"):
                print(f"| {name} | {after} | {split} | {line(network, zoo, split)} |", flush=True)


if __name__ == "__main__":
    main()
