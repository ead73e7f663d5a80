"""The paper's settings for each zoo: they fit the zoo, and the networks have the paper's size."""

import pytest
import torch

from baselines.self_supervised import SelfSupervised, families
from baselines.self_supervised.networks import Autoencoder
from zoobench.embedders.find import find_embedder
from zoogen import ZooError, zoo_spec

EMBEDDERS = {
    name.replace("_", "-"): value
    for name, value in vars(families).items()
    if isinstance(value, SelfSupervised)
}
MILLIONS = {
    "tetris-script": 2.26,
    "tetris-hyp-script": 3.06,
    "mnist-seed": 44.9,
    "mnist-hyp-1-fix-seed": 62.2,
    "mnist-hyp-1-rand-seed": 60.9,
    "mnist-hyp-5-fix-seed": 44.9,
    "mnist-hyp-5-rand-seed": 52.7,
    "fashion-seed": 44.9,
}
"""Parameters of the authors' networks in millions, with the projection head."""

AUTHORS = {
    "tetris-script": (2, 4, 256, 512, 50, 0.5, (3, 50, 20), 1000),
    "tetris-hyp-script": (2, 4, 256, 900, 50, 0.5, (3, 50, 20), 1000),
    "mnist-seed": (2, 4, 800, 900, 700, 0.9, (4, 400, 50), 500),
    "mnist-hyp-1-fix-seed": (4, 2, 800, 1000, 700, 0.5, (4, 400, 50), 500),
    "mnist-hyp-1-rand-seed": (4, 2, 800, 900, 700, 0.85, (4, 400, 20), 500),
    "mnist-hyp-5-fix-seed": (2, 4, 800, 900, 700, 0.5, (4, 400, 20), 500),
    "mnist-hyp-5-rand-seed": (4, 2, 800, 900, 500, 0.5, (2, 400, 50), 500),
    "fashion-seed": (2, 4, 800, 900, 700, 0.9, (4, 400, 50), 500),
    "mnist-hyp": (4, 4, 512, 1000, 512, 0.9, (4, 400, 50), 200),
    "fashion-hyp": (4, 4, 512, 1000, 512, 0.15, (4, 400, 50), 200),
    "svhn-hyp": (4, 4, 512, 1000, 512, 0.15, (4, 400, 50), 250),
    "cifar10-hyp": (4, 4, 512, 1000, 512, 0.5, (4, 400, 50), 250),
}
"""Blocks, heads, width, hidden, dim, β, projection and epochs of the authors' scripts, with the
512 dimensions that a token can carry where the scripts have 1200."""


def size(name: str) -> float:
    """Count the parameters in millions, without allocating them."""
    zoo = "tetris-seed" if "tetris" in name else name
    with torch.device("meta"):
        network = Autoencoder(zoo_spec(zoo).network.layout, EMBEDDERS[name].settings)
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


@pytest.mark.parametrize("name", EMBEDDERS)
def test_an_embedder_is_named_after_its_zoo_and_fits_its_layout(name: str):
    assert EMBEDDERS[name].name == f"self-supervised-{name}"
    assert size(name) > 1


@pytest.mark.parametrize(("name", "millions"), MILLIONS.items())
def test_networks_are_as_large_as_those_of_the_authors(name: str, millions: float):
    assert size(name) == pytest.approx(millions, rel=0.005)


@pytest.mark.parametrize("name", EMBEDDERS)
def test_settings_are_those_of_the_authors_script(name: str):
    ours = EMBEDDERS[name]
    assert AUTHORS[name] == (
        *(ours.blocks, ours.heads, ours.width, ours.hidden, ours.dim),
        *(ours.beta, ours.projection, ours.epochs),
    )
    assert ours.contrast == ("positive" if name == "cifar10-hyp" else "nt-xent")
    same = ("temperature", "dropout", "learning_rate", "weight_decay", "batch", "schedule")
    assert [getattr(ours, each) for each in same] == [0.1, 0.1, 1e-4, 1e-9, 500, "plateau"]


def test_defaults_are_those_of_the_papers_text_for_the_tetris_zoos():
    plain = SelfSupervised()
    assert (plain.blocks, plain.heads, plain.width, plain.hidden) == (2, 1, 128, 512)
    assert (plain.dim, plain.layers, plain.dropout, plain.batch) == (50, 10, 0.1, 500)
    assert (plain.learning_rate, plain.weight_decay) == (1e-4, 1e-9)
    assert (plain.erase, plain.erased, plain.noise) == (0.5, (0.03, 0.3), 0.0)
    assert 0.05 <= plain.beta <= 0.85


TYPED = {
    "tokens": ("weights", "weights"),
    "compression_token": ("False", False),
    "heads": ("4", 4),
    "beta": ("1", 1.0),
    "learning_rate": ("1e-3", 1e-3),
    "projection": ("(2,10,5)", (2, 10, 5)),
    "erased": ("0.1,0.2", (0.1, 0.2)),
    "schedule": ("one-cycle", "one-cycle"),
}


@pytest.mark.parametrize(
    ("name", "typed", "value"), [(name, *both) for name, both in TYPED.items()]
)
def test_a_setting_has_the_value_that_was_typed(name: str, typed: str, value: object):
    assert getattr(find_embedder("self-supervised", {name: typed}), name) == value


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("projection", "3,50", r"projection=3,50: .*expected tuple\[int, int, int\]"),
        ("erased", "0.3", r"erased=0\.3: .*expected tuple\[float, float\]"),
        ("dim", "5.5", r"dim=5\.5: .*integer"),
        ("learning_rate", "nan", "learning_rate=nan: expected"),
        ("network", "1", "no setting of self-supervised called 'network'"),
    ],
)
def test_an_invalid_setting_is_reported(name: str, typed: str, message: str):
    with pytest.raises(ZooError, match=message):
        find_embedder("self-supervised", {name: typed})
