"""Deep sets: an encoder that ignores the order of hidden units, trained by contrast alone.

Permuting hidden units does not change the embedding of ``SetEncoder``, so views need no
permutations: they are noisy copies of the weights. Nothing is erased, which would turn a network
into another one. The encoder cannot know the order in which to reconstruct weights, so contrast is
the whole loss. ``docs/decisions/0016-stronger-rows.md`` compares other views and widths.

Source:
    Zaheer et al. 2017, arXiv:1703.06114.
"""

from baselines.self_supervised.embedder import SelfSupervised

embedder = SelfSupervised(
    name="deep-sets",
    tokens="sets",
    dim=256,
    blocks=1,
    width=64,
    hidden=128,
    position=0.5,
    dropout=0.0,
    beta=0.0,
    projection=(2, 128, 50),
    permute=False,
    erase=0.0,
    noise=0.1,
    epochs=20,
    patience=20,
    batch=250,
    learning_rate=2e-3,
    schedule="one-cycle",
    normalise=True,
)
