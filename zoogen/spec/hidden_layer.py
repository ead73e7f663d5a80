"""Hidden layers as a network declares them: which weights belong to each of their units."""

from dataclasses import dataclass
from itertools import pairwise

Axes = tuple[tuple[str, int], ...]
"""Names of tensors, each with an axis along which units lie."""


@dataclass(frozen=True)
class HiddenLayer:
    """A layer whose units may change places: the network computes the same function.

    On an axis longer than ``units``, each unit owns a run of entries, as a flattened channel does.

    Attributes:
        name: Name of the layer.
        units: Number of units: neurons, channels or heads.
        incoming: Axes of the tensors that determine what a unit computes.
        outgoing: Axes of the tensors that read the units.
        flips: Whether an odd activation lets all weights of a unit change sign.
        scales: Whether a positively homogeneous activation lets incoming weights of a unit be
            multiplied by a positive factor that divides the outgoing ones.
    """

    name: str
    units: int
    incoming: Axes
    outgoing: Axes
    flips: bool = False
    scales: bool = False

    @property
    def axes(self) -> Axes:
        """All axes along which the units lie."""
        return self.incoming + self.outgoing


Symmetry = tuple[HiddenLayer, ...]
"""The hidden layers of a network, in forward order; empty if it has none."""


def is_chain(symmetry: Symmetry) -> bool:
    """Tell whether each hidden layer is read by the weight of the next layer alone."""
    read_once = all(len(layer.outgoing) == 1 for layer in symmetry)
    return read_once and all(
        layer.outgoing[0][0] == following.incoming[0][0] for layer, following in pairwise(symmetry)
    )
