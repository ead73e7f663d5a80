"""The paper's classification probe: one linear layer, trained by Adam in small batches."""

from collections.abc import Iterable, Iterator
from itertools import count

import numpy as np
from jaxtyping import Float, Float32, Int64

from zoobench.probes.linear import Fit, LinearMap
from zoobench.probes.logistic import class_counts
from zoobench.task.metrics import accuracy

LEARNING_RATE = 1e-4
WEIGHT_DECAY = 1e-6
BETA_MEAN = 0.9
BETA_SQUARE = 0.999
EPSILON = 1e-8
BATCH = 10
EPOCHS = 50
START_BIAS = 0.01
ROWS_COPIED = 1000 * BATCH


def paper_softmax(
    train: Float[np.ndarray, "snapshots dim"],
    labels: Int64[np.ndarray, " snapshots"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_labels: Int64[np.ndarray, " held_out"],
    *,
    classes: int,
    seed: int = 42,
) -> Fit:
    """Classify as the paper did: softmax on raw features, 50 epochs of Adam, the last weights.

    Learning rate 1e-4, coupled weight decay 1e-6 on weights and bias, single precision. Each epoch
    shuffles again and uses batches of 10 and the smaller last one. Weights start from He's normal
    initialiser, biases at 0.01. Nothing is chosen on the validation split.

    Args:
        train: Embeddings to learn from, finite.
        labels: Their classes, 0 to ``classes - 1``.
        validation: Embeddings to report the accuracy on.
        validation_labels: Their classes.
        classes: Number of classes.
        seed: Seed of the torch generator that draws the weights, then the order of each epoch.

    Returns:
        A map to ``classes`` logits and its accuracy on ``validation``.

    Raises:
        ZooError: If a class has no snapshot in ``train``, or there is only one class.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, section 4; details of the authors' code.
    """
    import torch

    class_counts(labels, classes)
    generator = torch.Generator().manual_seed(seed)
    weight = torch.empty(classes, train.shape[1])
    torch.nn.init.kaiming_normal_(weight, generator=generator)
    layer = np.vstack([weight.numpy().T, np.full((1, classes), START_BIAS, dtype=np.float32)])
    orders = (torch.randperm(len(train), generator=generator).numpy() for _ in range(EPOCHS))
    train_by_adam(layer, train, labels, orders)
    final = layer.astype(np.float64)
    logits = LinearMap(final[:-1], final[-1])
    score = accuracy(validation_labels, logits(validation).argmax(axis=1))
    return Fit(logits, (WEIGHT_DECAY,), (score,))


def train_by_adam(
    layer: Float32[np.ndarray, "inputs classes"],
    features: Float[np.ndarray, "snapshots dim"],
    labels: Int64[np.ndarray, " snapshots"],
    orders: Iterable[Int64[np.ndarray, " snapshots"]],
) -> None:
    """Train a layer in place, one epoch for each order of the snapshots.

    A step is that of ``torch.optim.Adam`` on the mean cross-entropy of one batch. On layers this
    small the overhead per operation decides, and numpy has less of it than torch. The moments leave
    out their factors ``1 - β``, which move into the step size: ``mean`` and ``square`` are
    ``m / (1 - β₁)`` and ``v / (1 - β₂)`` of the textbook.

    Args:
        layer: Weights, with the bias as last row.
        features: Embeddings to learn from.
        labels: Their classes.
        orders: Order of the rows in each epoch.
    """
    mean, square = np.zeros_like(layer), np.zeros_like(layer)
    steps = count(1)
    for order in orders:
        for inputs, truth in batches(features, labels, order, classes=layer.shape[1]):
            logits = inputs @ layer
            logits -= logits.max(axis=1, keepdims=True)
            error = np.exp(logits, out=logits)
            error /= error.sum(axis=1, keepdims=True)
            error -= truth
            error /= len(error)
            slope = inputs.T @ error
            slope += WEIGHT_DECAY * layer
            step = next(steps)
            root = ((1 - BETA_SQUARE**step) / (1 - BETA_SQUARE)) ** 0.5
            rate = LEARNING_RATE * (1 - BETA_MEAN) / (1 - BETA_MEAN**step) * root
            mean *= BETA_MEAN
            mean += slope
            square *= BETA_SQUARE
            square += slope * slope
            size = np.sqrt(square)
            size += EPSILON * root
            layer -= rate * mean / size


def batches(
    features: Float[np.ndarray, "snapshots dim"],
    labels: Int64[np.ndarray, " snapshots"],
    order: Int64[np.ndarray, " snapshots"],
    *,
    classes: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches of inputs with a last column of ones, and their one-hot classes."""
    one_hot = np.eye(classes, dtype=np.float32)
    for first in range(0, len(order), ROWS_COPIED):
        chosen = order[first : first + ROWS_COPIED]
        inputs = np.ones((len(chosen), features.shape[1] + 1), dtype=np.float32)
        inputs[:, :-1] = features[chosen]
        truth = one_hot[labels[chosen]]
        for at in range(0, len(chosen), BATCH):
            yield inputs[at : at + BATCH], truth[at : at + BATCH]
