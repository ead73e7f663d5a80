"""Tokens, encoder, decoder and losses of the self-supervised baseline."""

from itertools import product
from math import inf, log, nan
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.self_supervised.attention import Block
from baselines.self_supervised.dropout import Dropout
from baselines.self_supervised.losses import nt_xent, objective, positive_contrast
from baselines.self_supervised.networks import Autoencoder, Projection, tensor_scale
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.tokens import neurons, single_weights
from baselines.self_supervised.validate import kept_variance, validate
from zoogen import ZOOS, Layout, ZooError

LAYOUTS = {name: ZOOS[name].network.layout for name in ("tetris-seed", "mnist-seed", "mnist-hyp")}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
TETRIS = LAYOUTS["tetris-seed"]
ARCHITECTURES = [
    {"tokens": "none"},
    *(
        {"tokens": tokens, "compression_token": token}
        for tokens, token in product(("neurons", "weights"), (False, True))
    ),
]
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)


def vectors(layout: Layout, rows: int = 6) -> Tensor:
    return torch.randn(rows, layout.params, generator=torch.Generator().manual_seed(0))


@every_layout
@pytest.mark.parametrize("cut", [neurons, single_weights])
def test_tokens_hold_every_weight_once_and_can_be_put_back(layout: Layout, cut: Any):
    whole = vectors(layout)
    parts = [part for group in cut(layout) for part in group.parts(group.read(whole))]
    parts.sort(key=lambda part: part[0])
    assert torch.equal(torch.cat([part for _, part in parts], dim=1), whole)


def test_a_token_is_one_unit_with_its_bias():
    layout, whole = LAYOUTS["mnist-seed"], vectors(LAYOUTS["mnist-seed"])
    groups = {group.name: group for group in neurons(layout)}
    sizes = [(group.tokens, group.size) for group in groups.values()]
    assert sizes == [(8, 26), (6, 201), (4, 25), (20, 37), (10, 21)]
    weight, bias = layout["conv2.weight"], layout["conv2.bias"]
    token = groups["conv2"].read(whole)[3, 4]
    assert torch.equal(token[:-1], whole[3, weight.slice].view(weight.shape)[4].flatten())
    assert token[-1] == whole[3, bias.slice][4]


@pytest.mark.parametrize(
    "shapes", [{"fc.weight": (4, 3), "fc.bias": (5,)}, {"scale": ()}], ids=["lengths", "scalar"]
)
def test_a_layer_that_cannot_be_split_into_units_is_refused(shapes: dict[str, tuple[int, ...]]):
    with pytest.raises(ZooError, match=r"cannot be split into units: .*tokens=weights"):
        neurons(Layout.of(shapes))


@every_architecture
@pytest.mark.parametrize("dim", [20, 33, 50])
def test_every_architecture_embeds_and_reconstructs(architecture: dict[str, Any], dim: int):
    torch.manual_seed(0)
    network = Autoencoder(TETRIS, Settings(dim=dim, **architecture)).eval()
    embeddings = network.embed(vectors(TETRIS))
    assert embeddings.shape == (6, dim)
    assert embeddings.abs().max() <= 1
    assert network.reconstruct(embeddings).shape == (6, 100)


def widths(layers: nn.Module) -> list[int]:
    """Return the input width and the width after each linear layer."""
    linear = [each for each in layers.modules() if isinstance(each, nn.Linear)]
    return [linear[0].in_features, *(each.out_features for each in linear)]


def test_fully_connected_layers_narrow_evenly_and_widen_again():
    network = Autoencoder(TETRIS, Settings(tokens="none"))
    paper = [100, 95, 90, 86, 81, 77, 72, 68, 63, 59, 54, 50]
    assert widths(network.encoder) == paper
    assert widths(network.decoder) == paper[::-1]


def test_the_projection_head_normalises_over_the_batch_after_each_of_its_layers():
    torch.manual_seed(0)
    head = Projection(50, layers=3, hidden=40, out=20)
    assert widths(head) == [50, 40, 40, 40, 20]
    assert sum(isinstance(each, nn.BatchNorm1d) for each in head.modules()) == 4
    projected = head(3 + 5 * torch.randn(200, 50))
    assert torch.allclose(projected.mean(dim=0), torch.zeros(20), atol=1e-5)
    assert torch.allclose(projected.var(dim=0, correction=0), torch.ones(20), atol=1e-2)


@pytest.mark.parametrize("tokens", ["neurons", "weights"])
@pytest.mark.parametrize("token", [False, True])
def test_a_compression_token_sees_the_weights_through_attention_alone(tokens: Any, *, token: bool):
    torch.manual_seed(0)
    network = Autoencoder(TETRIS, Settings(tokens=tokens, compression_token=token)).eval()
    embeddings = network.embed(vectors(TETRIS))
    assert embeddings.std(dim=0).min() > 0
    for block in network.encoder.blocks:
        nn.init.zeros_(block.mix.weight)  # switches attention off
    alike = network.embed(vectors(TETRIS)).std(dim=0).max() < 1e-6
    assert bool(alike) == token


@every_layout
def test_every_parameter_has_a_gradient(layout: Layout):
    network = Autoencoder(layout, Settings(dropout=0.0))
    loss, _ = objective(network, vectors(layout), Settings())
    loss.backward()
    assert all(
        parameter.grad is not None and parameter.grad.abs().max() > 0
        for parameter in network.parameters()
    )


def test_a_block_computes_the_first_tokens_alone_as_among_all():
    torch.manual_seed(0)
    block = Block(16, heads=2, hidden=32, dropout=0.1).eval()
    tokens = torch.randn(3, 7, 16)
    assert torch.allclose(block(tokens, 2), block(tokens)[:, :2], atol=1e-6)


def test_a_block_has_dropout_only_in_training():
    torch.manual_seed(0)
    block, tokens = Block(16, heads=1, hidden=32, dropout=0.5), torch.randn(3, 7, 16)
    assert not torch.equal(block(tokens), block(tokens))
    assert torch.equal(block.eval()(tokens), block(tokens))


def test_scaled_weights_have_the_spread_of_a_standard_normal():
    layout = LAYOUTS["mnist-seed"]
    values = vectors(layout, 50) * torch.rand(layout.params)
    scaled = values / tensor_scale(values, layout)
    for slot in layout:
        assert scaled[:, slot.slice].std() == pytest.approx(1, abs=1e-4)


def test_scaling_is_undone_in_reconstruction():
    network = Autoencoder(TETRIS, Settings()).eval()
    seen, embeddings = vectors(TETRIS), torch.rand(6, 50)
    plain = network.embed(seen), network.reconstruct(embeddings)
    network.scale.fill_(3.0)
    assert torch.allclose(network.embed(3 * seen), plain[0], atol=1e-6)
    assert torch.allclose(network.reconstruct(embeddings), 3 * plain[1], atol=1e-5)


def test_nt_xent_follows_its_equation():
    projected = torch.randn(8, 5, generator=torch.Generator().manual_seed(0)).double()
    unit = projected / projected.norm(dim=1, keepdim=True)
    total = 0.0
    for view in range(8):
        partner = (view + 4) % 8
        others = [
            float(torch.exp(unit[view] @ unit[other] / 0.2)) for other in range(8) if other != view
        ]
        total -= float(unit[view] @ unit[partner]) / 0.2 - log(sum(others))
    assert float(nt_xent(projected.float(), 0.2)) == pytest.approx(total / 8, rel=1e-5)


def test_positive_contrast_is_lowest_for_equal_and_highest_for_opposite_views():
    views = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    assert float(positive_contrast(torch.cat([views, 2 * views]))) == pytest.approx(-1)
    assert float(positive_contrast(torch.cat([views, -views]))) == pytest.approx(1)
    right_angles = torch.eye(4)
    assert float(positive_contrast(right_angles)) == 0


@pytest.mark.parametrize("contrast", ["nt-xent", "positive"])
def test_beta_weighs_the_two_losses(contrast: Any):
    network, seen = Autoencoder(TETRIS, Settings()).eval(), vectors(TETRIS, 8)
    losses = {
        beta: float(objective(network, seen, Settings(beta=beta, contrast=contrast))[0].detach())
        for beta in (0.0, 0.3, 1.0)
    }
    assert losses[0.3] == pytest.approx(0.3 * losses[1.0] + 0.7 * losses[0.0], rel=1e-4)
    with torch.no_grad():
        error = (network.reconstruct(network.embed(seen)) - seen).square().mean()
    assert losses[1.0] == pytest.approx(float(error), rel=1e-5)
    assert objective(network, seen, Settings(beta=0.0))[1] is None


def test_errors_are_measured_in_standard_deviations_of_their_tensor():
    network, seen = Autoencoder(TETRIS, Settings(beta=1.0)).eval(), vectors(TETRIS)
    plain, _ = objective(network, seen, Settings(beta=1.0))
    network.scale.fill_(7.0)
    scaled, _ = objective(network, 7 * seen, Settings(beta=1.0))
    assert float(scaled.detach()) == pytest.approx(float(plain.detach()), rel=1e-4)


def test_r2_is_one_for_equal_vectors_and_zero_for_their_mean():
    views = 10 + vectors(TETRIS, 50)
    guesses = (views, views.mean(dim=0), 10 * views)
    errors = [(views - guess).double().square().sum() for guess in guesses]
    assert kept_variance(views, errors[0]) == 1
    assert kept_variance(views, errors[1]) == pytest.approx(0, abs=1e-6)
    assert kept_variance(views, errors[2]) < 0


@pytest.mark.parametrize("permute", [False, True])
def test_validation_uses_permuted_weights_even_if_training_does_not(
    monkeypatch: pytest.MonkeyPatch, *, permute: bool
):
    used: list[Tensor] = []

    def recorded(network: Autoencoder, views: Tensor, settings: Settings) -> Any:
        used.append(views)
        return objective(network, views, settings)

    monkeypatch.setattr("baselines.self_supervised.validate.objective", recorded)
    seen, settings = vectors(TETRIS, 40), Settings(permute=permute, erase=1.0, noise=1.0)
    validate(Autoencoder(TETRIS, settings), seen, TETRIS, settings)
    for views in used[0].chunk(2):
        assert (views != seen).any(dim=1).sum() > 30
        assert torch.equal(views.sort(dim=1).values, seen.sort(dim=1).values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 101, "width": 128}, "dim=101 is more than the 100 weights"),
        ({"dim": 50, "width": 32}, "more than one token of width=32 can carry"),
    ],
)
def test_an_embedding_that_is_too_wide_is_refused(settings: dict[str, Any], message: str):
    with pytest.raises(ZooError, match=message):
        Autoencoder(TETRIS, Settings(**settings))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dim": 0},
        {"batch": 1},
        {"beta": 1.5},
        {"heads": 3},
        {"erased": (0.5, 0.1)},
        {"projection": (3, 0, 20)},
        {"learning_rate": 0.0},
        {"learning_rate": inf},
        {"noise": nan},
        {"dropout": 1.0},
        {"device": "tpu"},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_named(wrong: dict[str, Any]):
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(ZooError, match="expected") as error:
        Settings(**wrong)
    assert f"{name}={value!r}" in str(error.value)


@pytest.mark.parametrize("probability", [0.05, 0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(probability: float):
    torch.manual_seed(0)
    drop = Dropout(probability)
    kept = drop(torch.ones(1000, 333))
    assert float((kept == 0).float().mean()) == pytest.approx(probability, abs=0.004)
    assert float(kept.mean()) == pytest.approx(1, abs=0.005)
    assert len(kept.unique()) == 2
    columns, rows = (kept == 0).float().mean(dim=0), (kept == 0).float().mean(dim=1)
    assert columns.std() < 1.2 * (probability * (1 - probability) / 1000) ** 0.5
    assert rows.std() < 1.2 * (probability * (1 - probability) / 333) ** 0.5


def test_dropout_passes_gradients_where_it_keeps_and_everything_in_evaluation():
    torch.manual_seed(0)
    drop, activations = Dropout(0.3), torch.ones(50, 7, requires_grad=True)
    kept = drop(activations)
    kept.sum().backward()
    assert activations.grad is not None
    assert torch.equal(activations.grad, kept.detach())
    assert torch.equal(drop.eval()(activations), activations)
    assert torch.equal(Dropout(0.0)(activations), activations)
