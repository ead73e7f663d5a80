"""Which slice of a flat weight vector is which tensor, and which units may change places."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from zoogen.errors import ZooError
from zoogen.spec.hidden_layer import Symmetry, is_chain


@dataclass(frozen=True)
class Slot:
    """One tensor: its name, its shape and its start in the flat vector."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of scalars in the tensor."""
        return prod(self.shape)

    @property
    def slice(self) -> slice:
        """Columns of the flat vector that hold the tensor."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Layout:
    """Row-major tensors side by side in forward order, without gaps.

    Attributes:
        slots: The tensors.
        symmetry: Hidden layers whose units may change places, as the network declares them; None
            if it declares nothing.
    """

    slots: tuple[Slot, ...]
    symmetry: Symmetry | None = None

    @classmethod
    def of(
        cls, shapes: Mapping[str, tuple[int, ...]], symmetry: Symmetry | None = None
    ) -> "Layout":
        """Lay out tensors in the given order."""
        starts = accumulate((prod(shape) for shape in shapes.values()), initial=0)
        return cls(
            tuple(
                Slot(name, tuple(shape), start)
                for (name, shape), start in zip(shapes.items(), starts, strict=False)
            ),
            symmetry,
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape by name, in order; ``Layout.of`` makes the same layout from it."""
        return {slot.name: slot.shape for slot in self.slots}

    @property
    def params(self) -> int:
        """Length of the flat vector."""
        return sum(slot.size for slot in self.slots)

    def declared_symmetry(self, what: str) -> Symmetry:
        """Return the symmetry.

        Args:
            what: What needs it, for the message.

        Raises:
            ZooError: If the network declares none.
        """
        if self.symmetry is None:
            raise ZooError(
                f"{what} needs to know which hidden units may change places, and the network with "
                f"the tensors {', '.join(self.shapes)} declares no symmetry"
            )
        return self.symmetry

    def hidden_chain(self, what: str) -> Symmetry:
        """Return the hidden layers of a network in which each layer feeds only the next.

        Args:
            what: What needs them, for the message.

        Raises:
            ZooError: If the network declares no symmetry, has no hidden layer, or has layers that
                do not form a chain.
        """
        symmetry = self.declared_symmetry(what)
        if not symmetry or not is_chain(symmetry):
            reason = "its layers do not form a chain" if symmetry else "it has no hidden layer"
            raise ZooError(
                f"{what} cannot describe the network with the tensors {', '.join(self.shapes)}: "
                f"{reason}; expected hidden layers that each feed only the next"
            )
        return symmetry

    def __iter__(self) -> Iterator[Slot]:
        return iter(self.slots)

    def __getitem__(self, name: str) -> Slot:
        for slot in self.slots:
            if slot.name == name:
                return slot
        raise KeyError(
            f"no tensor called {name!r}; this layout has "
            + ", ".join(slot.name for slot in self.slots)
        )
