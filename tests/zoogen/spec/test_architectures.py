"""Architectures: sizes, layouts and what is refused."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from zoogen import CNN, MLP, ZOOS, Convolution
from zoogen.spec.architectures import Network


def test_the_papers_cnn_has_the_tensors_of_the_papers_table():
    layout = ZOOS["mnist-seed"].network.layout
    assert layout.shapes == {
        "conv1.weight": (8, 1, 5, 5),
        "conv1.bias": (8,),
        "conv2.weight": (6, 8, 5, 5),
        "conv2.bias": (6,),
        "conv3.weight": (4, 6, 2, 2),
        "conv3.bias": (4,),
        "fc1.weight": (20, 36),
        "fc1.bias": (20,),
        "fc2.weight": (10, 20),
        "fc2.bias": (10,),
    }
    assert [layout[f"{name}.weight"].start for name in ("conv2", "conv3", "fc1", "fc2")] == [
        208,
        1414,
        1514,
        2254,
    ]


@pytest.mark.parametrize(("zoo", "sides"), [("mnist-hyp", (13, 6, 2)), ("cifar10-hyp", (15, 7, 3))])
def test_the_small_cnn_zoo_shrinks_its_maps_as_published(zoo: str, sides: tuple[int, ...]):
    network = ZOOS[zoo].network
    assert isinstance(network, CNN)
    assert network.maps == tuple((16, side, side) for side in sides)
    assert [network.layout[f"{name}.weight"].start for name in ("conv2", "conv3", "fc1")] == [
        160,
        2480,
        4800,
    ]


@pytest.mark.parametrize(
    "blocks", [[{"kernel": 6}], [{"kernel": 3}, {"kernel": 4}], [{"kernel": 5, "pool": 2}]]
)
def test_a_convolution_larger_than_its_map_is_refused_by_number(blocks: list[dict[str, Any]]):
    convolutions = tuple(Convolution(channels=2, **block) for block in blocks)
    with pytest.raises(ValidationError, match=f"convolution {len(blocks)} reduces an image of"):
        CNN(image=(1, 5, 5), convolutions=convolutions, widths=(3,))


@pytest.mark.parametrize(
    ("field", "value"),
    [("widths", ()), ("convolutions", ()), ("features", "max"), ("image", (1, 0, 5))],
)
def test_a_missing_or_unknown_value_is_refused_by_field(field: str, value: object):
    fields = {
        "image": (1, 5, 5),
        "convolutions": (Convolution(channels=2, kernel=3),),
        "widths": (3,),
    }
    with pytest.raises(ValidationError, match=field):
        CNN(**(fields | {field: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize("network", [MLP(widths=(3, 2)), ZOOS["mnist-seed"].network], ids=str)
def test_json_tells_networks_apart_by_kind(network: MLP | CNN):
    adapter: TypeAdapter[MLP | CNN] = TypeAdapter(Network)
    assert adapter.validate_json(adapter.dump_json(network)) == network
    with pytest.raises(ValidationError, match="transformer"):
        adapter.validate_python({"kind": "transformer"})
