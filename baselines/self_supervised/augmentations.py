"""Views of weight vectors: hidden units permuted, a run erased, noise added, a batch at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from zoogen import HiddenLayer, Layout, ZooError, chained_layers

TABLE = 5040
"""Up to so many permutations of a network are listed, which is faster than drawing units."""


@dataclass(frozen=True)
class Permutations:
    """All ways to reorder some hidden layers of a network; each is as likely as any other.

    Attributes:
        layout: Of the weight vectors.
        layers: Those whose units change places.

    Source:
        Schürholt et al. 2021, equation 1 and appendix A.
    """

    layout: Layout
    layers: tuple[HiddenLayer, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return prod(factorial(layer.units) for layer in self.layers)

    @cached_property
    def table(self) -> Int64[Tensor, "permutations params"]:
        """The index of every permutation; the first leaves all as it is."""
        orders = [list(permutations(range(layer.units))) for layer in self.layers]
        chosen = list(product(*orders))
        return self.indices(
            {
                layer.name: torch.tensor([one[place] for one in chosen])
                for place, layer in enumerate(self.layers)
            },
            len(chosen),
        )

    def draw(self, batch: int, generator: Generator) -> Int64[Tensor, "batch params"]:
        """Draw one permutation per vector: ``vectors.gather(1, drawn)`` permutes them."""
        if self.count <= TABLE:
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
        """Return the index of each vector that puts old units in new places.

        Args:
            orders: By layer, the old place of the unit at each new place. Layers left out stay.
            batch: How many vectors.
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
        """Return the order of units along each axis of a tensor that a layer's units lie on."""
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
    """Return where the scalars of a tensor come from, row-major, its axes reordered.

    An axis longer than its order holds a run of scalars per unit.
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
    """Return the permutations of every hidden layer of a network whose layers form a chain.

    Raises:
        ZooError: If no layer feeds another: there is nothing to permute.
    """
    layers = chained_layers(layout)
    if not layers:
        raise ZooError(
            f"no hidden layer to permute among {', '.join(layout.shapes)}; set permute=False"
        )
    return Permutations(layout, layers)


def erase_masks(
    batch: int, params: int, *, erase: float, erased: tuple[float, float], generator: Generator
) -> Bool[Tensor, "batch params"]:
    """Draw what to erase: with probability ``erase`` a run of each vector, anywhere.

    Args:
        batch: How many vectors.
        params: Their length.
        erase: Probability.
        erased: Bounds of the share of a vector in the run, drawn uniformly.
        generator: Of the draws, and where they are made.

    Source:
        Schürholt et al. 2021, section 2, after Zhong et al. 2020, arXiv:1708.04896.
    """
    device = generator.device
    fires, share, place = torch.rand(3, batch, 1, generator=generator, device=device)
    low, high = erased
    lengths = ((low + (high - low) * share) * params).floor() * (fires < erase)
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
    """Return each vector permuted, then noisy, then with a run of it erased, all drawn anew.

    Args:
        vectors: They stay as they are.
        permutations: To draw from, or None to leave all units where they are.
        erase: Probability that a run is set to zero.
        erased: Bounds of the share of a vector in that run.
        noise: Standard deviation.
        generator: Of all draws, on the device of the vectors.
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
