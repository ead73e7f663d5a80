"""How good a network is on snapshots that no gradient has seen."""

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor

from baselines.self_supervised.augmentations import permutations_of, view
from baselines.self_supervised.losses import objective
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.settings import Settings
from zoogen import Layout, chained_layers

LOOKED_AT = 5000
"""Validation snapshots looked at after each epoch; all of them if there are fewer."""


@torch.inference_mode()
def validated(
    network: Autoencoder,
    vectors: Float[Tensor, "snapshots params"],
    layout: Layout,
    settings: Settings,
) -> tuple[float, float | None]:
    """Return the loss on two permuted views of each snapshot, and R² of the reconstruction.

    The views are permuted, neither noisy nor erased, and the same each time. Runs that were
    trained without permutations are looked at with them too, as in the paper's Table 3.

    Args:
        network: Left in evaluation mode.
        vectors: In no order.
        layout: Of the vectors.
        settings: Of the run.

    Returns:
        The loss of training, and the share of the variance of the views that their
        reconstruction keeps, None where nothing learns to reconstruct.
    """
    network.eval()
    generator = Generator(vectors.device).manual_seed(0)
    permutations = permutations_of(layout) if chained_layers(layout) else None
    whole = max(len(vectors) // settings.batch, 1) * settings.batch
    losses, seen, errors = [], [], []
    for batch in vectors[: min(whole, LOOKED_AT)].split(settings.batch):
        views = torch.cat([view(batch, permutations, generator=generator) for _ in range(2)])
        loss, reconstructed = objective(network, views, settings)
        losses.append(loss)
        if reconstructed is not None:
            seen.append(views)
            errors.append((reconstructed - views).square().sum(dtype=torch.float64))
    r2 = kept_variance(torch.cat(seen), torch.stack(errors).sum()) if seen else None
    return float(torch.stack(losses).mean()), r2


def kept_variance(
    views: Float[Tensor, "views params"], squared_errors: Float64[Tensor, ""]
) -> float:
    """Return R² of a reconstruction: squared errors against those of the mean vector."""
    deviations = (views - views.mean(dim=0)).square().sum(dtype=torch.float64)
    return float(1 - squared_errors / deviations)
