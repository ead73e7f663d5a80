"""The classification probes against the paper's probe in plain torch."""

from time import perf_counter

import numpy as np
import torch

from benchmarks.ratio import Ratio
from zoobench.embedders.find import find_embedder
from zoobench.probes.logistic import standard_logistic
from zoobench.probes.probe import Classify
from zoobench.probes.softmax_adam import BATCH, EPOCHS, LEARNING_RATE, WEIGHT_DECAY, paper_softmax
from zoobench.task.metrics import accuracy
from zoobench.task.tasks import tasks_of
from zoogen import SPLITS, Zoo, load_zoo

CLAIM = (
    "Predict activation and initialiser from the layer statistics of tetris-hyp (189 000 × 14). "
    "The peer is the paper's probe in plain torch: nn.Linear trained by optim.Adam for 50 epochs "
    "in batches of 10, on one thread, where it is fastest. We time a few thousand of its 945 000 "
    "steps and scale up; its accuracy is that of our paper probe, which takes the same steps."
)

STEPS_TIMED = 3000


def torch_seconds(features: np.ndarray, labels: np.ndarray) -> float:
    """Time some steps of the paper's probe and scale the time up to all steps."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    inputs, truth = torch.from_numpy(features), torch.from_numpy(labels)
    linear = torch.nn.Linear(features.shape[1], int(labels.max()) + 1)
    loss = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(linear.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    begin = perf_counter()
    for rows in torch.randperm(len(inputs)).split(BATCH)[:STEPS_TIMED]:
        optimiser.zero_grad()
        loss(linear(inputs[rows]), truth[rows]).backward()
        optimiser.step()
    taken = perf_counter() - begin
    torch.set_num_threads(threads)
    return taken / STEPS_TIMED * len(features) * EPOCHS / BATCH


def timed(
    probe: Classify, features: list[np.ndarray], labels: list[np.ndarray]
) -> tuple[float, float]:
    """Return the seconds a probe takes and the share of test snapshots it gets wrong."""
    begin = perf_counter()
    fit = probe(features[0], labels[0], features[1], labels[1], classes=int(labels[0].max()) + 1)
    taken = perf_counter() - begin
    return taken, 1 - accuracy(labels[2], fit.map(features[2]).argmax(axis=1))


def measure_task(zoo: Zoo, name: str) -> list[Ratio]:
    """Time the peer and both probes on one task."""
    task = tasks_of(zoo.spec)[name]
    parts = [zoo.part(split) for split in SPLITS]
    embedder = find_embedder("weight-statistics")
    features = [embedder.transform(part.weights) for part in parts]
    columns = [part.properties[task.target].to_numpy(str) for part in parts]
    labels = [np.searchsorted(np.unique(columns[0]), column) for column in columns]
    peer = torch_seconds(features[0], labels[0])
    ours, our_error = timed(standard_logistic, features, labels)
    paper, paper_error = timed(paper_softmax, features, labels)
    return [
        Ratio(name=f"{name}, standard probe against torch", ours=ours, peer=peer, required=50),
        Ratio(name=f"{name}, paper probe against torch", ours=paper, peer=peer),
        Ratio(
            name=f"{name}, test error, standard against paper probe",
            ours=our_error,
            peer=paper_error,
            unit="",
            required=1,
        ),
    ]


def measure() -> list[Ratio]:
    """Measure both classifications of tetris-hyp."""
    zoo = load_zoo("tetris-hyp")
    return [ratio for name in ("act", "init") for ratio in measure_task(zoo, name)]
