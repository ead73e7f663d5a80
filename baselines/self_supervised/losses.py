"""The training loss: contrast between views and the error of their reconstruction."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy, mse_loss, normalize

from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.precision import full_precision
from baselines.self_supervised.settings import Settings


def nt_xent(projected: Float[Tensor, "views out"], temperature: float) -> Float[Tensor, ""]:
    """Return the normalised temperature-scaled cross entropy, in nats.

    Each view must find its partner among all other views by cosine similarity.

    Args:
        projected: First views of all snapshots, then second views in the same order.
        temperature: τ; small values give near neighbours more weight.

    Source:
        Schürholt et al. 2021, equation 2; Chen et al. 2020, arXiv:2002.05709.
    """
    views = len(projected)
    unit = normalize(projected, dim=1)
    logits = (unit @ unit.T / temperature).fill_diagonal_(-torch.inf)
    partners = torch.arange(views, device=projected.device).roll(views // 2)
    return cross_entropy(logits, partners)


def positive_contrast(projected: Float[Tensor, "views out"]) -> Float[Tensor, ""]:
    """Return the mean negative cosine of the two views of a snapshot, in [-1, 1].

    The constant log τ of the paper's equation is omitted.

    Source:
        Schürholt et al. 2021, equation 3.
    """
    first, second = projected.chunk(2)
    return -cosine_similarity(first, second, dim=1).mean()


def objective(
    network: Autoencoder, views: Float[Tensor, "views params"], settings: Settings
) -> tuple[Float[Tensor, ""], Float[Tensor, "views params"] | None]:
    """Return the weighted sum of reconstruction error and contrast; a zero weight skips its term.

    The squared error is a mean over views and weights, as in the authors' code; the paper's
    equation sums over the weights.

    Args:
        network: The network being trained.
        views: First views of all snapshots, then second views in the same order.
        settings: Settings of the run.

    Returns:
        The loss and the reconstructed views.

    Source:
        Schürholt et al. 2021, section 3: β L_MSE + (1 − β) L_c.
    """
    embeddings = network.embed(views)
    loss, reconstructed = views.new_zeros(()), None
    if settings.beta > 0:
        reconstructed = network.reconstruct(embeddings)
        error = mse_loss(reconstructed / network.scale, views / network.scale)
        loss = loss + settings.beta * error
    if settings.beta < 1:
        with full_precision(views.device):
            projected = network.projection(embeddings.float())
            contrast = (
                nt_xent(projected, settings.temperature)
                if settings.contrast == "nt-xent"
                else positive_contrast(projected)
            )
        loss = loss + (1 - settings.beta) * contrast
    return loss, reconstructed
