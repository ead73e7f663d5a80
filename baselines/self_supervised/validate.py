"""Validation on snapshots that are not trained on."""

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor

from baselines.self_supervised.augmentations import permutations_of, view
from baselines.self_supervised.losses import objective
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.settings import Settings
from zoogen import Layout

SNAPSHOTS = 5000
"""Most validation snapshots to use after each epoch."""


@torch.inference_mode()
def validate(
    network: Autoencoder,
    vectors: Float[Tensor, "snapshots params"],
    layout: Layout,
    settings: Settings,
) -> tuple[float, float | None]:
    """Return the loss on two permuted views of each snapshot, and the R² of the reconstruction.

    Views are permuted, but neither noisy nor erased, and are the same on every call. They are
    permuted even if training does not permute, as in the paper's Table 3.

    Args:
        network: The network; left in evaluation mode.
        vectors: Validation snapshots, shuffled.
        layout: Layout of the vectors.
        settings: Settings of the run.

    Returns:
        The training loss, and the R² of the reconstructed views, None without a reconstruction
        loss.
    """
    network.eval()
    generator = Generator(vectors.device).manual_seed(0)
    permutations = permutations_of(layout) if layout.symmetry else None
    whole = max(len(vectors) // settings.batch, 1) * settings.batch
    losses, seen, errors = [], [], []
    for batch in vectors[: min(whole, SNAPSHOTS)].split(settings.batch):
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
    """Return the R² of a reconstruction: its squared errors against those of the mean view."""
    deviations = (views - views.mean(dim=0)).square().sum(dtype=torch.float64)
    return float(1 - squared_errors / deviations)
