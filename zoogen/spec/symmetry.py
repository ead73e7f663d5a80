"""Permutation symmetry: hidden units may change places, and the network computes the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int64

from zoogen.errors import ZooError
from zoogen.spec.layout import Layout


@dataclass(frozen=True)
class HiddenLayer:
    """One layer whose units may be permuted.

    Attributes:
        name: Of the layer.
        units: How many there are: neurons or channels.
        axes: Tensors and the axis of each along which the units lie. An axis may be longer than
            ``units``: every unit then holds a run of it, as a flattened channel does.
    """

    name: str
    units: int
    axes: tuple[tuple[str, int], ...]


def chained_layers(layout: Layout) -> tuple[HiddenLayer, ...]:
    """Name the hidden layers of a network whose every layer feeds the next and no other.

    A unit lies along the rows of its own weight and bias, and along the columns (input channels)
    of the next weight.

    Raises:
        ZooError: If a layer has no columns for the units of the one before.

    Source:
        Schürholt et al. 2021, appendix A.
    """
    layers = [slot.name.removesuffix(".weight") for slot in layout if slot.name.endswith(".weight")]
    shapes = layout.shapes
    hidden = []
    for layer, following in pairwise(layers):
        own = [(name, 0) for name in (f"{layer}.weight", f"{layer}.bias") if name in shapes]
        units, columns = shapes[f"{layer}.weight"][0], shapes[f"{following}.weight"][1:2]
        if not columns or columns[0] % units:
            raise ZooError(
                f"{following}.weight {shapes[f'{following}.weight']} does not hear the {units} "
                f"units of {layer}; expected layers that each feed the next and no other"
            )
        hidden.append(HiddenLayer(layer, units, (*own, (f"{following}.weight", 1))))
    return tuple(hidden)


def permutation_index(
    layout: Layout,
    symmetry: tuple[HiddenLayer, ...],
    orders: Mapping[str, Int64[np.ndarray, " units"]],
) -> Int64[np.ndarray, " params"]:
    """Return the index that permutes hidden units: ``vector[index]`` computes what ``vector`` does.

    Args:
        layout: Of the vector.
        symmetry: The network's hidden layers.
        orders: By layer name, the old place of the unit at each new place. Layers left out keep
            their order.
    """
    index = np.arange(layout.params)
    for hidden in symmetry:
        if hidden.name not in orders:
            continue
        for name, axis in hidden.axes:
            slot = layout[name]
            run = slot.shape[axis] // hidden.units
            places = (orders[hidden.name][:, None] * run + np.arange(run)).ravel()
            tensor = index[slot.slice].reshape(slot.shape)
            index[slot.slice] = tensor.take(places, axis=axis).ravel()
    return index
