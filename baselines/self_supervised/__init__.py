"""The paper's self-supervised method: an autoencoder over weights that tells networks apart."""

from baselines.self_supervised.embedder import SelfSupervised
from zoobench import Embedder

__all__ = ["SelfSupervised", "embedder", "fast"]

embedder: Embedder = SelfSupervised()

# A twenty-fifth of the epochs, on a schedule of our own; not measured against the paper's yet.
fast: Embedder = SelfSupervised(
    name="self-supervised-fast",
    epochs=40,
    patience=40,
    learning_rate=1e-3,
    schedule="one-cycle",
)
