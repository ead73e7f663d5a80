"""Specs of imported zoos: what their files say, and where the files came from."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, StringConstraints
from pydantic.dataclasses import dataclass

from zoogen.spec.architectures import VALUE, Network
from zoogen.spec.axes import Range
from zoogen.spec.zoo_spec import AXES, Activation, ZooSpec

MOST_LISTED = 20
"""Largest number of values listed for an axis; an axis with more is stored as a range."""

LOG_RATIO = 100
"""A range is logarithmic if its largest value exceeds its smallest by more than this factor."""

Name = Annotated[str, StringConstraints(min_length=1)]
Found = tuple[float, ...] | Range


@dataclass(frozen=True, kw_only=True, config=VALUE)
class Skipped:
    """Snapshots of one run left out of the table, and why; no epochs if the run has none."""

    run: str
    epochs: tuple[NonNegativeInt, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, config=VALUE)
class Origin:
    """The files that a zoo was imported from.

    Attributes:
        format: Name of the importer.
        files: Number of files read.
        sha256: Hash of the lines ``sha256  name`` of these files, sorted by name; the same for a
            folder and an archive.
        split: Origin of the split, in words.
        also: Facts about all models that are in no column.
        skipped: Snapshots left out of the table.
    """

    format: str
    files: PositiveInt
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    split: str
    also: tuple[tuple[str, str], ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True, config=VALUE)
class ImportedSpec:
    """A population of networks trained elsewhere.

    An axis is a tuple of the values found, named as in the original, or a range that covers them.
    If the original does not say, it is empty and the table has no such column.

    Attributes:
        images: Name of the image set, as in ``ZooSpec``; ``unknown`` if it is not published.
        measured: Properties that the original has, under our names.
        snapshot_epochs: Stored epochs.
        models: Number of published models.
        origin: Files that the zoo was imported from.

    Raises:
        pydantic.ValidationError: If the network cannot be run, a field is unknown, or a number is
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
        """Axes with more than one value, as in ``ZooSpec``."""

        def varies(values: tuple[object, ...] | Range) -> bool:
            return isinstance(values, Range) or len(values) > 1

        return tuple(axis for axis in AXES if varies(getattr(self, axis)))

    @property
    def epochs(self) -> int:
        """Last stored epoch."""
        return self.snapshot_epochs[-1]

    @property
    def stored_epochs(self) -> tuple[int, ...]:
        """Epochs after which a snapshot was taken."""
        return self.snapshot_epochs


AnySpec = ZooSpec | ImportedSpec
"""Spec of a zoo that was trained here or imported."""


def found_values(values: "list[float]") -> Found:
    """Return the distinct numbers, or their range if there are many."""
    distinct = sorted(set(values))
    if len(distinct) <= MOST_LISTED:
        return tuple(distinct)
    low, high = distinct[0], distinct[-1]
    is_log = low > 0 and high > LOG_RATIO * low
    return Range(low=low, high=high, scale="log" if is_log else "linear")
