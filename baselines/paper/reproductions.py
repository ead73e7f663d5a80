"""The tables and figures of the paper by the names that ``zoobench reproduce`` takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from baselines.paper.table_types import PaperTable
from baselines.paper.tables import TABLES
from baselines.paper.tables_elsewhere import TABLES_ELSEWHERE, TableElsewhere


@dataclass(frozen=True)
class WithinZoos:
    """A table that learns and tests on the same zoo."""

    table: PaperTable
    draws: bool = False

    def page(self, root: Path, settings: Mapping[str, str]) -> str:
        """Return the table as Markdown, see ``reproduce_table``."""
        from baselines.paper.reproduce import reproduce_table

        return reproduce_table(self.table, root, settings)

    def draw(self, root: Path, settings: Mapping[str, str], path: Path) -> Path | None:  # noqa: ARG002
        """Return None: the paper draws no picture of it."""
        return None


@dataclass(frozen=True)
class AcrossZoos:
    """A table or figure that learns on one zoo and tests on others."""

    table: TableElsewhere

    @property
    def draws(self) -> bool:
        """Whether there is a picture."""
        return self.table.picture

    def page(self, root: Path, settings: Mapping[str, str]) -> str:
        """Return the table as Markdown, see ``reproduce_elsewhere``."""
        from baselines.paper.reproduce_elsewhere import reproduce_elsewhere

        return reproduce_elsewhere(self.table, root, settings)

    def draw(self, root: Path, settings: Mapping[str, str], path: Path) -> Path | None:
        """Draw predictions against true values, see ``draw_elsewhere``."""
        from baselines.paper.picture import draw_elsewhere

        return draw_elsewhere(self.table, root, settings, path)


PAPER_2021: dict[str, WithinZoos | AcrossZoos] = {
    **{name: WithinZoos(table) for name, table in TABLES.items()},
    **{name: AcrossZoos(table) for name, table in TABLES_ELSEWHERE.items()},
}
