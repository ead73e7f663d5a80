"""The paper's self-supervised method: an autoencoder over weights that tells networks apart.

``fast`` trains in minutes on two cores where the paper trains for hours on a GPU; what each
difference does is measured in ``docs/decisions/0010-a-fast-schedule.md``. ``cnn_fast`` is the like
of it for CNNs, with longer vectors and, in the zoos that are partial so far, fewer of them: it
takes 2000 steps at least, however many epochs those are. ``deep_sets`` learns by contrast alone,
with an encoder that has no order of hidden units to see; how it was chosen is in
``docs/decisions/0016-stronger-rows.md``.
"""

from dataclasses import replace

from baselines.self_supervised.embedder import SelfSupervised
from zoobench import Embedder

__all__ = ["SelfSupervised", "cnn_fast", "deep_sets", "embedder", "fast"]

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
deep_sets = replace(
    fast,
    name="deep-sets",
    tokens="sets",
    dim=256,
    blocks=1,
    width=64,
    hidden=128,
    position=0.5,
    beta=0.0,
    projection=(2, 128, 50),
    permute=False,
    erase=0.0,
    noise=0.1,
    epochs=20,
    patience=20,
    batch=250,
    learning_rate=2e-3,
)
