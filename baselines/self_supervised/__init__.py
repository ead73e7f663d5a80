"""The paper's self-supervised method: an autoencoder over weights that tells networks apart.

``fast`` and its like for CNNs train in minutes on two cores where the paper trains for hours on a
GPU; what each difference does is measured in ``docs/decisions/0010-a-fast-schedule.md``.
"""

from dataclasses import replace

from baselines.self_supervised.embedder import SelfSupervised
from zoobench import Embedder

__all__ = ["SelfSupervised", "embedder", "fast", "mnist_fast", "small_cnn_fast"]

embedder: Embedder = SelfSupervised()

fast = SelfSupervised(
    name="self-supervised-fast",
    hidden=256,
    position=0.05,
    dropout=0.0,
    beta=0.8,
    epochs=20,
    patience=20,
    batch=250,
    learning_rate=2e-3,
    schedule="one-cycle",
    normalise=True,
)
mnist_fast = replace(
    fast,
    name="self-supervised-mnist-fast",
    dim=128,
    projection=(3, 128, 50),
    epochs=100,
    patience=100,
    batch=50,
    learning_rate=1e-3,
)
small_cnn_fast = replace(mnist_fast, name="self-supervised-small-cnn-fast")
