"""The classification probes against the paper's, as torch runs it."""

from time import perf_counter

import numpy as np
import torch

from benchmarks.ratio import Ratio
from benchmarks.ridge_path import correlated_features
from zoobench.logistic import standard_logistic
from zoobench.probe import Classify
from zoobench.softmax_adam import BATCH, EPOCHS, LEARNING_RATE, WEIGHT_DECAY, paper_softmax

CLAIM = (
    "Classes from layer statistics on data of tetris-hyp's size (189 000 × 14, 6 classes, "
    "synthetic): the peer is the paper's probe in plain torch, nn.Linear trained by optim.Adam for "
    "50 epochs in batches of 10, on one thread, where it is fastest. A few thousand of its 945 000 "
    "steps are timed and scaled up; its accuracy is that of our paper probe, which takes the same "
    "steps."
)

TRAIN, VALIDATION, CLASSES = 189_000, 40_500, 6
STEPS = TRAIN * EPOCHS // BATCH
STEPS_TIMED = 3000


def torch_seconds(features: np.ndarray, labels: np.ndarray) -> float:
    """Time some steps of the paper's probe and scale them to all of them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    inputs, truth = torch.from_numpy(features), torch.from_numpy(labels)
    linear = torch.nn.Linear(features.shape[1], CLASSES)
    loss = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(linear.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    begin = perf_counter()
    for rows in torch.randperm(len(inputs)).split(BATCH)[:STEPS_TIMED]:
        optimiser.zero_grad()
        loss(linear(inputs[rows]), truth[rows]).backward()
        optimiser.step()
    taken = perf_counter() - begin
    torch.set_num_threads(threads)
    return taken * STEPS / STEPS_TIMED


def measure() -> list[Ratio]:
    """Time the peer, then both probes in full."""
    rng = np.random.default_rng(0)
    features = correlated_features(TRAIN + VALIDATION, rng)
    logits = features @ rng.normal(size=(14, CLASSES)) / 4
    labels = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    data = features[:TRAIN], labels[:TRAIN], features[TRAIN:], labels[TRAIN:]
    peer = torch_seconds(*data[:2])
    probes: dict[str, Classify] = {"standard": standard_logistic, "paper": paper_softmax}
    ratios = []
    for name, probe in probes.items():
        begin = perf_counter()
        fit = probe(*data, classes=CLASSES)
        ours = perf_counter() - begin
        ratios.append(
            Ratio(
                name=f"{name} probe (validation accuracy {fit.validation_scores[0]:.4f}), "
                f"against {STEPS:,} torch steps extrapolated from {STEPS_TIMED:,}",
                ours_seconds=ours,
                peer_seconds=peer,
                required=50 if name == "standard" else None,
            )
        )
    return ratios
