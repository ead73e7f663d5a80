"""Mixed precision trains as full precision does."""

import pytest
import torch

from baselines.self_supervised import precision
from baselines.self_supervised.attention import Block, attend
from baselines.self_supervised.losses import nt_xent, objective, positive_contrast
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.settings import Contrast, Settings
from zoogen import zoo_spec

CPU = torch.device("cpu")
LAYOUT = zoo_spec("tetris-seed").network.layout


def gradient(settings: Settings) -> torch.Tensor:
    """Return all gradients of one step, always on the same network and views."""
    torch.manual_seed(0)
    network = Autoencoder(LAYOUT, settings)
    views = torch.randn(40, LAYOUT.params)
    with precision.mixed_precision(CPU):
        loss, _ = objective(network, views, settings)
    loss.backward()
    return torch.cat(
        [each.grad.flatten() for each in network.parameters() if each.grad is not None]
    )


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_mixed_precision_has_nearly_the_same_gradient_in_float32(
    beta: float, monkeypatch: pytest.MonkeyPatch
):
    settings = Settings(width=64, hidden=64, dropout=0.0, position=0.05, beta=beta)
    gradients = []
    for mixed in (False, True):
        monkeypatch.setattr(precision, "multiplies_bfloat16", lambda _, mixed=mixed: mixed)
        gradients.append(gradient(settings))
    assert gradients[1].dtype == torch.float32
    assert not torch.equal(*gradients)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.95


@pytest.mark.parametrize("contrast", ["nt-xent", "positive"])
def test_contrast_stays_in_float32_in_mixed_precision(
    contrast: Contrast, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda _: True)
    settings = Settings(width=64, hidden=64, beta=0.0, contrast=contrast)
    torch.manual_seed(0)
    network = Autoencoder(LAYOUT, settings).eval()
    views = torch.randn(40, LAYOUT.params)
    with torch.no_grad(), precision.mixed_precision(CPU):
        loss, _ = objective(network, views, settings)
        embeddings = network.embed(views)
    with torch.no_grad():
        projected = network.projection(embeddings.float())
        losses = {"nt-xent": nt_xent(projected, 0.1), "positive": positive_contrast(projected)}
    assert torch.equal(loss, losses[contrast])


def test_attention_on_a_cpu_stays_in_float32_in_mixed_precision():
    torch.manual_seed(0)
    block = Block(16, heads=2, hidden=16, dropout=0.0).eval()
    tokens = torch.randn(3, 5, 48)
    queries, keys, values = (block.by_head(part) for part in tokens.chunk(3, dim=2))
    plain = attend(queries, keys, values, dropout=0.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(attend(queries, keys, values, dropout=0.0), plain)


def test_a_cpu_without_bfloat16_trains_in_float32(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert not precision.multiplies_bfloat16(CPU)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert precision.multiplies_bfloat16(CPU)
