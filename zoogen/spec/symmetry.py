"""Permutation symmetry: reordering hidden units does not change a network's function."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int64

from zoogen.errors import ZooError
from zoogen.spec.layout import Layout


@dataclass(frozen=True)
class HiddenLayer:
    """A layer with units that can be permuted.

    Attributes:
        name: Name of the layer.
        units: Number of units: neurons or channels.
        axes: Names of tensors, each with the axis along which the units lie. On an axis longer
            than ``units``, each unit owns a run of entries, as a flattened channel does.
    """

    name: str
    units: int
    axes: tuple[tuple[str, int], ...]


def chained_layers(layout: Layout) -> tuple[HiddenLayer, ...]:
    """Return the hidden layers of a network in which each layer feeds only the next.

    A unit is a row of its own weight and bias, and a column (input channel) of the next weight.

    Raises:
        ZooError: If a layer has no columns for the units of the previous layer.

    Source:
        Schürholt et al. 2021, appendix A.

    Example:
        >>> import zoogen
        >>> layout = zoogen.zoo_spec("mnist-seed").network.layout
        >>> [layer.units for layer in zoogen.chained_layers(layout)]
        [8, 6, 4, 20]
    """
    layers = [slot.name.removesuffix(".weight") for slot in layout if slot.name.endswith(".weight")]
    shapes = layout.shapes
    hidden = []
    for layer, following in pairwise(layers):
        own = [(name, 0) for name in (f"{layer}.weight", f"{layer}.bias") if name in shapes]
        units, columns = shapes[f"{layer}.weight"][0], shapes[f"{following}.weight"][1:2]
        if not columns or columns[0] % units:
            raise ZooError(
                f"{following}.weight {shapes[f'{following}.weight']} does not read the {units} "
                f"units of {layer}; expected a chain in which each layer feeds only the next"
            )
        hidden.append(HiddenLayer(layer, units, (*own, (f"{following}.weight", 1))))
    return tuple(hidden)


def permutation_index(
    layout: Layout,
    symmetry: tuple[HiddenLayer, ...],
    orders: Mapping[str, Int64[np.ndarray, " units"]],
) -> Int64[np.ndarray, " params"]:
    """Return the index that permutes hidden units.

    The networks with weights ``vector`` and ``vector[index]`` compute the same function.

    Args:
        layout: Layout of the vector.
        symmetry: Hidden layers of the network.
        orders: For each layer by name, the old position of the unit at each new position. Layers
            left out keep their order.

    Example:
        >>> import numpy as np
        >>> import zoogen
        >>> layout = zoogen.zoo_spec("tetris-seed").network.layout
        >>> layers = zoogen.chained_layers(layout)
        >>> orders = {layers[0].name: np.array([1, 0, 2, 3, 4])}
        >>> index = zoogen.permutation_index(layout, layers, orders)
        >>> vectors = zoogen.load_zoo("tetris-seed").weights[:10]
        >>> bool((vectors[:, index][:, index] == vectors).all())
        True
    """
    index = np.arange(layout.params)
    for hidden in symmetry:
        if hidden.name not in orders:
            continue
        for name, axis in hidden.axes:
            slot = layout[name]
            run = slot.shape[axis] // hidden.units
            entries = (orders[hidden.name][:, None] * run + np.arange(run)).ravel()
            tensor = index[slot.slice].reshape(slot.shape)
            index[slot.slice] = tensor.take(entries, axis=axis).ravel()
    return index
