"""Steps of self-supervised training against the method written down directly, and embedding."""

import numpy as np
import torch

from baselines.self_supervised import SelfSupervised
from baselines.self_supervised.augmentations import permutations_of
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.train import fresh_run, one_step
from benchmarks.direct_autoencoder import BATCH, HEADS, WIDTH, DirectTraining
from benchmarks.ratio import Ratio, seconds
from zoogen import Layout, Weights

CLAIM = (
    f"Training on Tetris networks, d = {WIDTH}, 2 blocks, {HEADS} heads, {BATCH} snapshots a step; "
    "the peer permutes and erases each sample, embeds each token and writes it back by itself, and "
    "spells attention out. Four times faster was the aim; three fifths of our step are matrix "
    "products that the peer needs as well. Ours multiplies in bfloat16 where the processor is "
    "faster at it, as training does; the peer in float32, as the authors' code. Embedding is that "
    "of the paper's Tetris encoder "
    "(d = 128), with all threads; the peer is a budget of 20 000 snapshots a second."
)

LAYOUT = Layout.of({"fc1.weight": (5, 16), "fc2.weight": (4, 5)})
EMBEDDED, BUDGET = 40_000, 20_000
STEPS = 5


def drawn_weights(snapshots: int) -> Weights:
    """Draw weights: what they are costs nothing."""
    values = np.random.default_rng(0).normal(size=(snapshots, LAYOUT.params))
    return Weights([values.astype(np.float32)], LAYOUT)


def measure() -> list[Ratio]:
    """Time a step of both, and the embedding of many snapshots."""
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
