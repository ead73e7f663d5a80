"""Measure how a stack of networks classifies images."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn import functional

from zoogen.spec.architectures import CNN, MLP
from zoogen.train.loop import DeviceImages
from zoogen.train.networks import Runs, Stack, most_likely, stack_logits
from zoogen.train.tally import Tally
from zoogen.train.tuning import images_at_once


def predictions_and_loss(
    network: MLP | CNN,
    weights: Stack,
    images: Tensor,
    labels: Tensor,
    runs: Runs,
) -> tuple[Int64[Tensor, "models images"], Float64[Tensor, " models"]]:
    """Classify the same images with every model; return the classes and the mean cross-entropy."""
    models = next(iter(weights.values())).shape[0]
    predicted, loss = [], torch.zeros(models, dtype=torch.float64, device=labels.device)
    at_once = images_at_once(network, images.device.type)
    for part, truth in zip(images.split(at_once), labels.split(at_once), strict=True):
        logits = stack_logits(network, weights, part[None], runs)
        predicted.append(most_likely(logits))
        losses = functional.cross_entropy(logits, truth.expand(models, -1), reduction="none")
        loss += losses.sum(1, dtype=torch.float64)
    return torch.cat(predicted, dim=1), loss / len(labels)


def tally(
    predicted: Int64[Tensor, "models images"],
    loss: Float64[Tensor, " models"],
    labels: Int64[Tensor, " images"],
    classes: int,
) -> Tally:
    """Count how often each model predicted each class, and how often correctly."""
    claimed, hits = [], []
    for label in range(classes):
        of_class = predicted == label
        claimed.append(of_class.sum(1))
        hits.append((of_class & (labels == label)).sum(1))
    return Tally(
        loss=loss.cpu().numpy(),
        claimed=torch.stack(claimed, dim=1).cpu().numpy(),
        hits=torch.stack(hits, dim=1).cpu().numpy(),
        present=labels.bincount(minlength=classes).cpu().numpy(),
    )


def measure(
    network: MLP | CNN, weights: Stack, images: DeviceImages, runs: Runs
) -> tuple[Tally, Tally]:
    """Classify the train and the test images in evaluation mode; return a tally for each."""
    tallies = []
    with torch.no_grad():
        for part in ("train", "test"):
            shown, labels = getattr(images, f"{part}_images"), getattr(images, f"{part}_labels")
            predicted, loss = predictions_and_loss(network, weights, shown, labels, runs)
            tallies.append(tally(predicted, loss, labels, images.classes))
    return tallies[0], tallies[1]
