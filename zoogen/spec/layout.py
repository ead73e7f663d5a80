"""Which slice of a flat weight vector is which tensor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import prod


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
    """Row-major tensors side by side in forward order, without gaps."""

    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Layout":
        """Lay out tensors in the given order."""
        starts = accumulate((prod(shape) for shape in shapes.values()), initial=0)
        return cls(
            tuple(
                Slot(name, tuple(shape), start)
                for (name, shape), start in zip(shapes.items(), starts, strict=False)
            )
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape by name, in order; ``Layout.of`` makes the same layout from it."""
        return {slot.name: slot.shape for slot in self.slots}

    @property
    def params(self) -> int:
        """Length of the flat vector."""
        return sum(slot.size for slot in self.slots)

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
