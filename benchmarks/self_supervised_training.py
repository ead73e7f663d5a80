"""Self-supervised training steps against a direct implementation, and embedding."""

import numpy as np
import torch

from baselines.self_supervised import SelfSupervised
from baselines.self_supervised.augmentations import permutations_of
from baselines.self_supervised.run import fresh_run
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.train import one_step
from benchmarks.direct_autoencoder import BATCH, HEADS, WIDTH, DirectTraining
from benchmarks.ratio import Ratio, seconds
from zoogen import MLP, Weights

CLAIM = (
    f"Training on Tetris networks, d = {WIDTH}, 2 blocks, {HEADS} heads, {BATCH} snapshots a step. "
    "The peer permutes and erases one sample at a time, embeds and decodes one token at a time, "
    "and writes attention out. The aim was four times faster; three fifths of our step are matrix "
    "products that the peer needs too. Ours multiplies in bfloat16 where the processor is faster "
    "at it, as in training; the peer in float32, as in the authors' code. Embedding uses the "
    "paper's Tetris encoder (d = 128) with all threads; its peer is a budget of 20 000 snapshots "
    "a second."
)

LAYOUT = MLP(widths=(16, 5, 4)).layout
EMBEDDED, BUDGET = 40_000, 20_000
STEPS = 5


def drawn_weights(snapshots: int) -> Weights:
    """Draw random weights: their values do not affect the time."""
    values = np.random.default_rng(0).normal(size=(snapshots, LAYOUT.params))
    return Weights([values.astype(np.float32)], LAYOUT)


def measure() -> list[Ratio]:
    """Time a training step of both, and the embedding of many snapshots."""
    vectors = torch.from_numpy(np.asarray(drawn_weights((STEPS + 1) * BATCH)))
    settings = Settings(width=WIDTH, heads=HEADS)
    run, permutations = fresh_run(vectors, LAYOUT, settings, seed=0), permutations_of(LAYOUT)
    run.network.train()
    peer = DirectTraining(vectors)
    ours = seconds(lambda: one_step(run, vectors[:BATCH], permutations, settings), runs=STEPS)
    direct = seconds(peer.step, runs=STEPS)
    embedder = SelfSupervised()
    embedder.network = fresh_run(vectors, LAYOUT, embedder.settings, seed=0).network.eval()
    weights = drawn_weights(EMBEDDED)
    embedding = seconds(lambda: embedder.transform(weights), runs=3)
    return [
        Ratio(name="a step, against the direct one", ours=ours, peer=direct, required=2),
        Ratio(
            name=f"embedding {EMBEDDED} snapshots, against {BUDGET} a second",
            ours=embedding,
            peer=EMBEDDED / BUDGET,
            required=1,
        ),
    ]
