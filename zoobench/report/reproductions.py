"""Tables and figures of papers that can be reproduced; other packages register them.

A package registers a mapping from names to ``Reproduction`` under the entry point group
``zoobench.reproductions``.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, runtime_checkable

from zoogen import UnknownNameError

GROUP = "zoobench.reproductions"


@runtime_checkable
class Reproduction(Protocol):
    """A table or figure that is reproduced from results.

    Attributes:
        draws: Whether it has a picture beside the page.
    """

    draws: bool

    def page(self, root: Path, settings: Mapping[str, str]) -> str:
        """Evaluate what is missing and return the page as Markdown.

        Args:
            root: Folder of all results.
            settings: Changed settings of every trained row, as typed on the command line.
        """

    def draw(self, root: Path, settings: Mapping[str, str], path: Path) -> Path | None:
        """Write the picture of existing results as PNG; return None if there is no result."""


def reproductions() -> dict[str, Reproduction]:
    """Return the registered reproductions by name."""
    found: dict[str, Reproduction] = {}
    for point in entry_points(group=GROUP):
        found |= point.load()
    return found


def find_reproduction(name: str) -> Reproduction:
    """Return the reproduction with a name.

    Raises:
        UnknownNameError: If there is none; the message lists the closest names.
    """
    known = reproductions()
    if name not in known:
        raise UnknownNameError("table", name, known)
    return known[name]
