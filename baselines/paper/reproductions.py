"""The tables and figures of the paper as ``zoobench reproduce`` finds them, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from baselines.paper.tables import TABLES, PaperTable
from baselines.paper.tables_elsewhere import OOD_TABLES, OodTable


@dataclass(frozen=True)
class WithinZoos:
    """A table whose scores are taken on the zoo that is learned from."""

    table: PaperTable
    draws: bool = False

    def page(self, root: Path, settings: Mapping[str, str]) -> str:
        """Return the table as Markdown, see ``reproduce_table``."""
        from baselines.paper.reproduce import reproduce_table

        return reproduce_table(self.table, root, settings)

    def draw(self, root: Path, settings: Mapping[str, str], path: Path) -> Path | None:  # noqa: ARG002
        """Draw nothing."""
        return None


@dataclass(frozen=True)
class AcrossZoos:
    """A table or figure of what is learned on one zoo and tested on others."""

    table: OodTable

    @property
    def draws(self) -> bool:
        """Whether the paper draws it."""
        return self.table.picture

    def page(self, root: Path, settings: Mapping[str, str]) -> str:
        """Return the table as Markdown, see ``reproduce_ood``."""
        from baselines.paper.reproduce_elsewhere import reproduce_ood

        return reproduce_ood(self.table, root, settings)

    def draw(self, root: Path, settings: Mapping[str, str], path: Path) -> Path | None:
        """Draw predictions against what is true, see ``draw_elsewhere``."""
        from baselines.paper.picture import draw_elsewhere

        return draw_elsewhere(self.table, root, settings, path)


PAPER_2021: dict[str, WithinZoos | AcrossZoos] = {
    **{name: WithinZoos(table) for name, table in TABLES.items()},
    **{name: AcrossZoos(table) for name, table in OOD_TABLES.items()},
}
