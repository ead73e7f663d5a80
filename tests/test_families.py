"""The paper's settings, zoo by zoo: they fit the zoo, and the networks have the paper's size."""

import pytest
import torch

from baselines.self_supervised import SelfSupervised, families
from baselines.self_supervised.networks import Autoencoder
from zoogen import zoo_spec

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
"""Parameters of the authors' networks, projection head included."""


def size(name: str) -> float:
    """Count the parameters, in millions, without room for one of them."""
    zoo = "tetris-seed" if "tetris" in name else name
    with torch.device("meta"):
        network = Autoencoder(zoo_spec(zoo).network.layout, EMBEDDERS[name].settings)
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


@pytest.mark.parametrize("name", EMBEDDERS)
def test_a_family_bears_the_name_of_its_zoo_and_fits_its_layout(name: str):
    assert EMBEDDERS[name].name == f"self-supervised-{name}"
    assert size(name) > 1


@pytest.mark.parametrize(("name", "millions"), MILLIONS.items())
def test_networks_are_as_large_as_the_authors(name: str, millions: float):
    assert size(name) == pytest.approx(millions, rel=0.005)
