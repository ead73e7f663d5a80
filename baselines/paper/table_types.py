"""What a table of the paper consists of: rows, and claims about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        title: Title in the paper, by which the paper's scores are looked up.
        embedder: Embedder that reproduces it, as typed on the command line.
        settings: Changed settings of the embedder, by name, as typed on the command line.
    """

    title: str
    embedder: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A conclusion of the paper: some rows of a table score above others.

    Attributes:
        text: The conclusion.
        pairs: Titles of the higher and the lower row of each comparison.
        columns: Columns it is about; all if empty.
        zoos: Zoos it is about; all of the table if empty.
        expect: ``above`` everywhere, or ``mixed``: above in some columns and below in others.
    """

    text: str
    pairs: tuple[tuple[str, str], ...]
    columns: tuple[str, ...] = ()
    zoos: tuple[str, ...] = ()
    expect: Literal["above", "mixed"] = "above"


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        name: Name on the command line.
        title: Heading of the page.
        zoos: Zoos, each with one section per probe.
        rows: Rows of each section.
        tasks: Tasks in the paper's table; all tasks of the zoo if empty.
        probes: Probes, the first of which decides the claims.
        reconstruction: Whether there is a column for the R² of reconstructed weights.
        running_gap: Whether to add the generalisation gap as the paper measured it.
        claims: Claims to check on every zoo of the table.
    """

    name: str
    title: str
    zoos: tuple[str, ...]
    rows: tuple[Row, ...]
    tasks: tuple[str, ...] = ()
    probes: tuple[str, ...] = ("paper", "standard")
    reconstruction: bool = False
    running_gap: bool = False
    claims: tuple[Claim, ...] = ()

    @property
    def by_title(self) -> dict[str, Row]:
        """The rows by title."""
        return {row.title: row for row in self.rows}
