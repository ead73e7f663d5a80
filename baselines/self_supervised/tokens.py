"""How a flat weight vector becomes a sequence of tokens, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoogen import Layout, Slot, ZooError


@dataclass(frozen=True)
class Group:
    """Tokens of equal size that are embedded by one shared matrix.

    Attributes:
        name: Name of their layer.
        tokens: Number of tokens.
        slices: Parts of the flat vector; each holds an equal share of every token, token by token.
    """

    name: str
    tokens: int
    slices: tuple[slice, ...]

    @property
    def size(self) -> int:
        """Number of scalars in a token."""
        return sum(self.widths)

    @property
    def widths(self) -> list[int]:
        """Number of scalars of a token in each slice."""
        return [len(range(part.start, part.stop)) // self.tokens for part in self.slices]

    def read(self, vectors: Float[Tensor, "batch params"]) -> Float[Tensor, "batch _tokens _size"]:
        """Gather the tokens of each vector."""
        parts = [vectors[:, part].unflatten(1, (self.tokens, -1)) for part in self.slices]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)

    def parts(
        self, tokens: Float[Tensor, "batch _tokens _size"]
    ) -> list[tuple[int, Float[Tensor, "batch _length"]]]:
        """Return the content of each slice of the flat vector, with the start of the slice."""
        pieces = tokens.split(self.widths, dim=2)
        starts = (part.start for part in self.slices)
        return [(start, piece.flatten(1)) for start, piece in zip(starts, pieces, strict=True)]


def neurons(layout: Layout) -> tuple[Group, ...]:
    """Make one token per neuron or kernel: its incoming weights and its bias.

    Raises:
        ZooError: If the tensors of a layer disagree on its number of units.

    Source:
        Schürholt et al. 2021, section 3 and Figure 2.
    """
    layers = groupby(layout, key=lambda slot: slot.name.rpartition(".")[0] or slot.name)
    return tuple(units_of(name, list(slots)) for name, slots in layers)


def units_of(name: str, slots: Sequence[Slot]) -> Group:
    """Return the tokens of one layer; its units lie along the first axis of all its tensors."""
    counts = {slot.shape[0] if slot.shape else 0 for slot in slots}
    if len(counts) != 1 or 0 in counts:
        shapes = ", ".join(f"{slot.name} {slot.shape}" for slot in slots)
        raise ZooError(
            f"layer {name!r} cannot be split into units: {shapes}; expected tensors of equal "
            "length along the first axis; or set tokens=weights"
        )
    return Group(name, counts.pop(), tuple(slot.slice for slot in slots))


def single_weights(layout: Layout) -> tuple[Group, ...]:
    """Make one token per scalar."""
    return (Group("weights", layout.params, (slice(0, layout.params),)),)


class Embedding(nn.Module):
    """Embeds the tokens of a vector, one matrix product per group, and adds their positions.

    Args:
        groups: Groups of tokens.
        width: Dimension of an embedded token.
        position: Initial standard deviation of the position embeddings.
    """

    def __init__(self, groups: Sequence[Group], width: int, *, position: float = 1.0) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.linear = nn.ModuleList(nn.Linear(group.size, width) for group in groups)
        tokens = sum(group.tokens for group in groups)
        self.position = nn.Parameter(position * torch.randn(tokens, width))

    def forward(
        self, vectors: Float[Tensor, "batch params"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Embed the tokens and add their positions."""
        embedded = [
            linear(group.read(vectors))
            for group, linear in zip(self.groups, self.linear, strict=True)
        ]
        return torch.cat(embedded, dim=1) + self.position


class Unembedding(nn.Module):
    """Maps embedded tokens back to a vector, one matrix product per group."""

    def __init__(self, groups: Sequence[Group], width: int) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.linear = nn.ModuleList(nn.Linear(width, group.size) for group in groups)

    def forward(self, tokens: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch params"]:
        """Put the scalars of each group in their places."""
        by_group = tokens.split([group.tokens for group in self.groups], dim=1)
        parts = [
            part
            for group, linear, embedded in zip(self.groups, self.linear, by_group, strict=True)
            for part in group.parts(linear(embedded))
        ]
        return torch.cat([part for _, part in sorted(parts, key=lambda part: part[0])], dim=1)
