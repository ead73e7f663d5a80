"""The paper's method as an embedder: train on fit, encode on transform."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from baselines.self_supervised.checkpoint import Identity
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.train import identity_of
from baselines.self_supervised.train import train as trained
from zoobench import Choice, SearchSpace, Uniform, cache_folder
from zoogen import Weights

ROWS = 4096
"""Weight vectors or embeddings in the network at a time."""


@dataclass(kw_only=True)
class SelfSupervised(Settings):
    """An encoder trained without labels, to reconstruct weights and tell networks apart.

    Training is kept in ``$ZOOBENCH_CACHE`` and goes on where it was interrupted.

    Attributes:
        name: What results are filed under.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288.
    """

    name: str = "self-supervised"
    network: Autoencoder = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> Settings:
        """What defines the run."""
        return Settings(**{each.name: getattr(self, each.name) for each in fields(Settings)})

    @property
    def search_space(self) -> SearchSpace:
        """What ``zoobench evaluate --tune`` draws from."""
        widths = {self.width, self.width // 2, self.width * 3 // 2}
        carries = [each for each in sorted(widths) if each >= self.dim and each % self.heads == 0]
        weighs: SearchSpace = {} if self.tokens == "sets" else {"beta": Uniform(0.05, 0.85)}
        return {
            **weighs,
            "dim": Choice(tuple(-(-self.dim * fifths // 5) for fifths in (2, 3, 5))),
            "width": Choice(tuple(carries) or (self.width,)),
            "learning_rate": Uniform(1e-4, 1e-2, log=True),
        }

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "SelfSupervised":
        """Train, or go on training; validation chooses the epoch.

        Raises:
            ZooError: As ``baselines.self_supervised.train.train``.
        """
        folder = run_folder(identity_of(train, validation, self.settings, seed=seed))
        self.network = trained(train, validation, self.settings, seed=seed, folder=folder)
        return self

    @torch.inference_mode()
    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Encode the weights as they are, a block of them at a time."""
        return np.concatenate(
            [
                self.network.embed(torch.from_numpy(block).to(self.device)).cpu().numpy()
                for block in blocks(weights)
            ]
        )

    @torch.inference_mode()
    def reconstruct(
        self, embeddings: Float32[np.ndarray, "snapshots dim"]
    ) -> Float32[np.ndarray, "snapshots params"] | None:
        """Decode embeddings, a block at a time; None if the decoder was not trained."""
        if self.beta == 0:
            return None
        return np.concatenate(
            [
                self.network.reconstruct(torch.from_numpy(block).to(self.device)).cpu().numpy()
                for block in blocks(embeddings)
            ]
        )


def blocks(
    rows: Weights | Float32[np.ndarray, "rows _columns"],
) -> Iterator[Float32[np.ndarray, "_rows _columns"]]:
    """Read rows block by block."""
    return (rows[first : first + ROWS] for first in range(0, len(rows), ROWS))


def run_folder(identity: Identity) -> Path:
    """Return where a run is kept: a folder named by all that defines it."""
    key = sha256(json.dumps(asdict(identity), sort_keys=True).encode()).hexdigest()
    return cache_folder() / "self-supervised" / key[:16]
