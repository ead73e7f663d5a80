"""Which slice of a flat weight vector is which tensor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import prod


@dataclass(frozen=True)
class Slot:
    """One tensor: its name, its shape and where it starts in the flat vector."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of scalars in the tensor."""
        return prod(self.shape)

    @property
    def slice(self) -> slice:
        """The columns of the flat vector that hold this tensor."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Layout:
    """Tensors side by side, row-major each, in forward order, without gaps."""

    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Layout":
        """Lay tensors out in the order given; starts are cumulative sizes, never typed by hand."""
        starts = accumulate((prod(shape) for shape in shapes.values()), initial=0)
        return cls(
            tuple(
                Slot(name, tuple(shape), start)
                for (name, shape), start in zip(shapes.items(), starts, strict=False)
            )
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name to shape, in order: what ``Layout.of`` takes back."""
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
