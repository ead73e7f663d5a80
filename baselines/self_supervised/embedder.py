"""The paper's method as an embedder: ``fit`` trains, ``transform`` encodes."""

import json
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from baselines.self_supervised.checkpoint import Identity
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.train import identity_of, on_device
from baselines.self_supervised.train import train as trained
from zoobench import Choice, SearchSpace, Uniform, cache_folder
from zoogen import Weights

ROWS = 4096
"""Weight vectors or embeddings passed through the network at a time."""


@dataclass(kw_only=True)
class SelfSupervised(Settings):
    """An encoder trained without labels to reconstruct weights and tell networks apart.

    Checkpoints are kept in ``$ZOOBENCH_CACHE``; an interrupted training resumes from there.

    Attributes:
        name: Name of the results.
        network: The trained network, once fitted.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288.
    """

    name: str = "self-supervised"
    network: Autoencoder = field(init=False, repr=False, compare=False)

    @property
    def settings(self) -> Settings:
        """The settings of the run, without the name."""
        return Settings(**{each.name: getattr(self, each.name) for each in fields(Settings)})

    @property
    def search_space(self) -> SearchSpace:
        """The settings that ``zoobench evaluate --tune`` draws."""
        widths = {self.width, self.width // 2, self.width * 3 // 2}
        valid = [each for each in sorted(widths) if each >= self.dim and each % self.heads == 0]
        betas: SearchSpace = {} if self.tokens == "sets" else {"beta": Uniform(0.05, 0.85)}
        return {
            **betas,
            "dim": Choice(tuple(-(-self.dim * fifths // 5) for fifths in (2, 3, 5))),
            "width": Choice(tuple(valid) or (self.width,)),
            "learning_rate": Uniform(1e-4, 1e-2, log=True),
        }

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "SelfSupervised":
        """Train, or resume training; the validation loss chooses the epoch.

        Raises:
            ZooError: See ``baselines.self_supervised.train.train``.
        """
        folder = run_folder(identity_of(train, validation, self.settings, seed=seed))
        self.network = trained(train, validation, self.settings, seed=seed, folder=folder)
        return self

    @torch.inference_mode()
    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Encode the weights, neither permuted nor noisy."""
        return np.concatenate(
            [
                self.network.embed(on_device(block, self.device)).cpu().numpy()
                for block in weights.blocks(ROWS)
            ]
        )

    @torch.inference_mode()
    def reconstruct(
        self, embeddings: Float32[np.ndarray, "snapshots dim"]
    ) -> Float32[np.ndarray, "snapshots params"] | None:
        """Decode embeddings to weights; None if the decoder was not trained."""
        if self.beta == 0:
            return None
        return np.concatenate(
            [
                self.network.reconstruct(block.to(self.device)).cpu().numpy()
                for block in torch.from_numpy(embeddings).split(ROWS)
            ]
        )


def run_folder(identity: Identity) -> Path:
    """Return the folder of a run, named by the hash of its identity."""
    key = sha256(json.dumps(asdict(identity), sort_keys=True).encode()).hexdigest()
    return cache_folder() / "self-supervised" / key[:16]
