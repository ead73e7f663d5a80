"""Random views of a batch of weight vectors: units permuted, noise added, a run erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from zoogen import HiddenLayer, Layout, ZooError

LARGEST_TABLE = 5040
"""Most permutations to list; drawing from a list is faster than permuting units."""


@dataclass(frozen=True)
class Permutations:
    """All ways to permute the units of some hidden layers, all equally likely.

    Attributes:
        layout: Layout of the weight vectors.
        layers: The hidden layers to permute.

    Source:
        Schürholt et al. 2021, equation 1 and appendix A.
    """

    layout: Layout
    layers: tuple[HiddenLayer, ...]

    @property
    def count(self) -> int:
        """Number of permutations."""
        return prod(factorial(layer.units) for layer in self.layers)

    @cached_property
    def table(self) -> Int64[Tensor, "permutations params"]:
        """The index of every permutation; the first is the identity."""
        of_layer = [list(permutations(range(layer.units))) for layer in self.layers]
        of_network = list(product(*of_layer))
        return self.indices(
            {
                layer.name: torch.tensor([orders[number] for orders in of_network])
                for number, layer in enumerate(self.layers)
            },
            len(of_network),
        )

    def draw(self, batch: int, generator: Generator) -> Int64[Tensor, "batch params"]:
        """Draw one permutation per vector; ``vectors.gather(1, drawn)`` applies them."""
        if self.count <= LARGEST_TABLE:
            rows = torch.randint(self.count, (batch,), generator=generator, device=generator.device)
            return self.table.to(generator.device)[rows]
        orders = {
            layer.name: torch.rand(
                batch, layer.units, generator=generator, device=generator.device
            ).argsort(dim=1)
            for layer in self.layers
        }
        return self.indices(orders, batch)

    def indices(
        self, orders: Mapping[str, Int64[Tensor, "batch _units"]], batch: int
    ) -> Int64[Tensor, "batch params"]:
        """Return the index that permutes each vector.

        Args:
            orders: By layer, the old place of the unit at each new place. Other layers stay.
            batch: Number of vectors.
        """
        moved = [
            slot_indices(slot.shape, self.axes_of(slot.name, orders)) + slot.start
            for slot in self.layout
        ]
        return torch.cat(
            [part.expand(batch, -1) if len(part) == 1 else part for part in moved], dim=1
        )

    def axes_of(
        self, name: str, orders: Mapping[str, Int64[Tensor, "batch _units"]]
    ) -> dict[int, Int64[Tensor, "batch _units"]]:
        """Return the order of the units along each axis of a tensor that is permuted."""
        return {
            axis: orders[layer.name]
            for layer in self.layers
            if layer.name in orders
            for tensor, axis in layer.axes
            if tensor == name
        }


def slot_indices(
    shape: Sequence[int], orders: Mapping[int, Int64[Tensor, "batch _units"]]
) -> Int64[Tensor, "_batch size"]:
    """Return the index that reorders axes of a flat, row-major tensor.

    An axis longer than its order holds several scalars per unit.
    """
    device = next(iter(orders.values())).device if orders else None
    index = torch.zeros(1, *(1 for _ in shape), dtype=torch.int64, device=device)
    stride = 1
    for axis in reversed(range(len(shape))):
        places = torch.arange(shape[axis], device=device)[None]
        if axis in orders:
            run = shape[axis] // orders[axis].shape[1]
            places = (orders[axis][:, :, None] * run + torch.arange(run, device=device)).flatten(1)
        index = index + stride * places.view(
            len(places), *(shape[axis] if other == axis else 1 for other in range(len(shape)))
        )
        stride *= shape[axis]
    return index.flatten(1)


def permutations_of(layout: Layout) -> Permutations:
    """Return the permutations of all hidden layers that the network declares.

    Raises:
        ZooError: If it declares none, hence nothing can be permuted.
    """
    layers = layout.declared_symmetry("permute=True")
    if not layers:
        raise ZooError(
            f"no hidden layer to permute among {', '.join(layout.shapes)}; set permute=False"
        )
    return Permutations(layout, layers)


def erase_masks(
    batch: int, params: int, *, erase: float, erased: tuple[float, float], generator: Generator
) -> Bool[Tensor, "batch params"]:
    """Draw a run to erase in each vector, at a random place, with probability ``erase``.

    Args:
        batch: Number of vectors.
        params: Length of a vector.
        erase: Probability, in [0, 1].
        erased: Least and largest length of the run as a share of the vector; drawn uniformly.
        generator: Source of the draws; the masks are made on its device.

    Source:
        Schürholt et al. 2021, section 2, after Zhong et al. 2020, arXiv:1708.04896.
    """
    device = generator.device
    chance, share, place = torch.rand(3, batch, 1, generator=generator, device=device)
    low, high = erased
    lengths = ((low + (high - low) * share) * params).floor() * (chance < erase)
    starts = (place * (params - lengths + 1)).floor()
    positions = torch.arange(params, device=device)
    mask: Tensor = (positions >= starts) & (positions < starts + lengths)
    return mask


def view(
    vectors: Float[Tensor, "batch params"],
    permutations: Permutations | None,
    *,
    erase: float = 0.0,
    erased: tuple[float, float] = (0.0, 0.0),
    noise: float = 0.0,
    generator: Generator,
) -> Float[Tensor, "batch params"]:
    """Permute each vector, add noise, then erase a run; every call draws anew.

    Args:
        vectors: Weight vectors; left unchanged.
        permutations: Permutations to draw from; None keeps all units in place.
        erase: Probability that a run is set to zero.
        erased: Least and largest length of the run as a share of the vector.
        noise: Standard deviation of Gaussian noise.
        generator: Source of all draws, on the device of the vectors.
    """
    if permutations is not None:
        vectors = vectors.gather(1, permutations.draw(len(vectors), generator))
    if noise:
        vectors = vectors + noise * torch.randn(
            vectors.shape, generator=generator, device=vectors.device
        )
    if erase:
        mask = erase_masks(*vectors.shape, erase=erase, erased=erased, generator=generator)
        vectors = vectors.masked_fill(mask, 0.0)
    return vectors
