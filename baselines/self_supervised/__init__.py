"""The paper's self-supervised method: an autoencoder over weights that tells networks apart.

``embedder`` has the paper's settings, which take hours on a GPU. ``fast`` trains in minutes on two
cores; ``docs/decisions/0010-a-fast-schedule.md`` measures the effect of each difference.
``cnn_fast`` is its counterpart for CNNs, which have more weights and, in zoos that are only partly
built, fewer snapshots: it takes at least 2000 steps, however many epochs that is.
"""

from dataclasses import replace

from baselines.self_supervised.embedder import SelfSupervised
from zoobench import Embedder

__all__ = ["SelfSupervised", "cnn_fast", "embedder", "fast"]

embedder: Embedder = SelfSupervised()

fast = SelfSupervised(
    name="self-supervised-fast",
    hidden=256,
    position=0.05,
    dropout=0.0,
    beta=0.8,
    projection=(1, 50, 50),
    noise=0.05,
    epochs=12,
    patience=12,
    learning_rate=3e-3,
    schedule="one-cycle",
    normalise=True,
)
cnn_fast = replace(
    fast,
    name="self-supervised-cnn-fast",
    dim=128,
    projection=(3, 128, 50),
    noise=0.0,
    epochs=40,
    steps=2000,
    patience=1000,
    batch=50,
    learning_rate=1e-3,
)
