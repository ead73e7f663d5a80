"""What a zoo is that others trained: as much as its files say, and where they came from."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, StringConstraints
from pydantic.dataclasses import dataclass

from zoogen.spec.architectures import VALUE, Network
from zoogen.spec.axes import Range
from zoogen.spec.zoo_spec import AXES, Activation, ZooSpec

FEW = 20
"""Values of an axis that are listed; of more, only the range they lie in."""

FAR = 100
"""How many times the smallest value the largest is where a range counts as logarithmic."""

Name = Annotated[str, StringConstraints(min_length=1)]
Found = tuple[float, ...] | Range


@dataclass(frozen=True, kw_only=True, config=VALUE)
class Skipped:
    """Snapshots of one run that are not in the table, and why; no epochs if it has none at all."""

    run: str
    epochs: tuple[NonNegativeInt, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, config=VALUE)
class Origin:
    """The files a zoo was imported from.

    Attributes:
        format: Name of the importer.
        files: How many were read.
        sha256: Over the lines ``sha256  name`` of these files, by name: whether they lay in a
            folder or an archive does not show.
        split: Whose split this is, in words.
        also: What the files say of all models alike and no column has.
        skipped: Every snapshot that is not in the table.
    """

    format: str
    files: PositiveInt
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    split: str
    also: tuple[tuple[str, str], ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True, config=VALUE)
class ImportedSpec:
    """One population of networks that were trained elsewhere.

    An axis is a tuple of the values that were found, in the words of the original, or the range
    they lie in; it is empty, and the table has no such column, where the original does not say.

    Attributes:
        images: Name of the image set, as in ``ZooSpec``; ``unknown`` if it is not published.
        measured: The properties that the original has, in our names.
        snapshot_epochs: Epochs that are stored.
        models: How many were published.
        origin: Where it came from.

    Raises:
        pydantic.ValidationError: For a network that cannot be run, an unknown field, or a number
            out of range.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: PositiveInt
    images: str
    network: Network
    activation: Annotated[tuple[Activation, ...], Field(min_length=1)]
    initialiser: tuple[Name, ...] = ()
    init_std: Found = ()
    optimiser: tuple[Name, ...] = ()
    learning_rate: Found = ()
    weight_decay: Found = ()
    dropout: Found = ()
    train_fraction: Found = ()
    measured: tuple[Name, ...]
    snapshot_epochs: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    models: PositiveInt
    group: Literal["model"] = "model"
    licence: str = "unknown"
    source: str = ""
    origin: Origin

    @property
    def varied(self) -> tuple[str, ...]:
        """The axes with more than one value, as in ``ZooSpec``."""

        def varies(values: tuple[object, ...] | Range) -> bool:
            return isinstance(values, Range) or len(values) > 1

        return tuple(axis for axis in AXES if varies(getattr(self, axis)))

    @property
    def epochs(self) -> int:
        """The last that is stored."""
        return self.snapshot_epochs[-1]

    @property
    def stored_epochs(self) -> tuple[int, ...]:
        """The epochs after which a snapshot was taken."""
        return self.snapshot_epochs


AnySpec = ZooSpec | ImportedSpec
"""What a zoo is: trained here, or imported."""


def found_values(values: "list[float]") -> Found:
    """List a few distinct numbers; of many, say from where to where they go."""
    distinct = sorted(set(values))
    if len(distinct) <= FEW:
        return tuple(distinct)
    low, high = distinct[0], distinct[-1]
    far = low > 0 and high > FAR * low
    return Range(low=low, high=high, scale="log" if far else "linear")
