"""Symmetries of networks: hidden units reordered, flipped or rescaled, and the same function."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int64

from zoogen.spec.hidden_layer import HiddenLayer, Symmetry
from zoogen.spec.layout import Layout

ODD = frozenset({"tanh"})
"""Activations f with f(−x) = −f(x)."""

POSITIVELY_HOMOGENEOUS = frozenset({"relu"})
"""Activations f with f(c·x) = c·f(x) for every c > 0."""


def chain(
    shapes: Mapping[str, tuple[int, ...]], *, without_flips: frozenset[str] = frozenset()
) -> Symmetry:
    """Declare the hidden layers of a network in which each layer feeds only the next.

    A unit is a row of its own weight and bias, and a column (input channel) of the next weight.

    Args:
        shapes: Tensors ``LAYER.weight`` and ``LAYER.bias`` in forward order.
        without_flips: Layers whose units may not change sign, as max pooling forbids.

    Source:
        Schürholt et al. 2021, appendix A.
    """
    layers = [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]
    return tuple(
        HiddenLayer(
            name=layer,
            units=shapes[f"{layer}.weight"][0],
            incoming=tuple(
                (name, 0) for name in (f"{layer}.weight", f"{layer}.bias") if name in shapes
            ),
            outgoing=((f"{following}.weight", 1),),
            flips=layer not in without_flips,
            scales=True,
        )
        for layer, following in pairwise(layers)
    )


def permutation_index(
    layout: Layout,
    symmetry: Symmetry,
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
        >>> swapped = {"fc1": np.array([1, 0, 2, 3, 4])}
        >>> index = zoogen.permutation_index(layout, layout.symmetry, swapped)
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


def unit_factors(
    layout: Layout, hidden: HiddenLayer, factors: Float[np.ndarray, " units"]
) -> Float[np.ndarray, " params"]:
    """Return what to multiply a vector with so that each unit is scaled and its readers undo it.

    Factors of ±1 leave the function as it is where ``hidden.flips`` and the activation is ``ODD``,
    positive factors where ``hidden.scales`` and it is ``POSITIVELY_HOMOGENEOUS``.

    Args:
        layout: Layout of the vector.
        hidden: One of its hidden layers.
        factors: One factor for each unit, none of them zero.
    """
    by_weight = np.ones(layout.params)
    for axes, by in ((hidden.incoming, factors), (hidden.outgoing, 1 / factors)):
        for name, axis in axes:
            slot = layout[name]
            run = slot.shape[axis] // hidden.units
            along = [1] * len(slot.shape)
            along[axis] = -1
            tensor = by_weight[slot.slice].reshape(slot.shape)
            by_weight[slot.slice] = (tensor * np.repeat(by, run).reshape(along)).ravel()
    return by_weight
