"""What is known of a snapshot once it is trained: accuracies, losses, gap and F1 per class."""

from collections.abc import Mapping

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor
from torch.nn import functional

from zoogen.architectures import CNN, MLP
from zoogen.networks import Runs, Stack, stack_logits
from zoogen.train import DeviceImages
from zoogen.tuning import images_at_once


def predictions_and_loss(
    network: MLP | CNN,
    weights: Stack,
    images: Tensor,
    labels: Tensor,
    runs: Runs,
) -> tuple[Int64[Tensor, "models images"], Float64[Tensor, " models"]]:
    """Classify the same images with every model; the loss is the mean cross-entropy."""
    models = next(iter(weights.values())).shape[0]
    predicted, loss = [], torch.zeros(models, dtype=torch.float64, device=labels.device)
    at_once = images_at_once(network, images.device.type)
    for part, truth in zip(images.split(at_once), labels.split(at_once), strict=True):
        logits = stack_logits(network, weights, part[None], runs)
        predicted.append(most_likely(logits))
        losses = functional.cross_entropy(logits, truth.expand(models, -1), reduction="none")
        loss += losses.sum(1, dtype=torch.float64)
    return torch.cat(predicted, dim=1), loss / len(labels)


def most_likely(
    logits: Float32[Tensor, "models classes images"],
) -> Int64[Tensor, "models images"]:
    """Name the class with the largest logit, the first of equals; ``argmax`` is far slower."""
    best = logits[:, 0].clone()
    chosen = torch.zeros_like(best, dtype=torch.int64)
    for label in range(1, logits.shape[1]):
        better = logits[:, label] > best
        chosen.masked_fill_(better, label)
        torch.maximum(best, logits[:, label], out=best)
    return chosen


def class_f1(
    predicted: Int64[Tensor, "models images"], labels: Int64[Tensor, " images"], classes: int
) -> Float64[Tensor, "models classes"]:
    """F1 of each class; 0 where a class is neither predicted nor present."""
    scores = []
    for label in range(classes):
        claimed, true = predicted == label, labels == label
        hits = (claimed & true).sum(1).double()
        scores.append(2 * hits / (claimed.sum(1) + true.sum()).clamp(min=1))
    return torch.stack(scores, dim=1)


def measure(
    network: MLP | CNN, weights: Stack, images: DeviceImages, runs: Runs
) -> Mapping[str, Float64[Tensor, " models"]]:
    """Measure a stack in evaluation mode on the train images it was shown and all test images.

    Returns:
        One column per property. Accuracies and F1 are shares in [0, 1],
        ``generalisation_gap`` is train minus test accuracy, losses are in nats.
    """
    columns: dict[str, Tensor] = {}
    with torch.no_grad():
        for part in ("train", "test"):
            shown, labels = getattr(images, f"{part}_images"), getattr(images, f"{part}_labels")
            predicted, loss = predictions_and_loss(network, weights, shown, labels, runs)
            columns[f"{part}_loss"] = loss
            columns[f"{part}_accuracy"] = (predicted == labels).double().mean(1)
    columns["generalisation_gap"] = columns["train_accuracy"] - columns["test_accuracy"]
    f1 = class_f1(predicted, labels, images.classes)
    return columns | {f"f1_class_{label}": f1[:, label] for label in range(images.classes)}
