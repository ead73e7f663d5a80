"""Tables and figures of papers that can be made again: other packages register them.

A package registers a mapping from names to ``Reproduction`` under the entry point group
``zoobench.reproductions``.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from zoogen import UnknownNameError

GROUP = "zoobench.reproductions"


class Reproduction(Protocol):
    """A table or figure that is made again from results.

    Attributes:
        draws: Whether there is a picture beside the page.
    """

    draws: bool

    def page(self, root: Path, settings: Mapping[str, str]) -> str:
        """Evaluate what is missing and return the page as Markdown.

        Args:
            root: Folder of all results.
            settings: Changed in every row that is trained, as typed on the command line.
        """

    def draw(self, root: Path, settings: Mapping[str, str], path: Path) -> Path | None:
        """Write the picture as PNG from results that are there; None if there is none to draw."""


def reproductions() -> dict[str, Reproduction]:
    """Return all that is registered, by name."""
    found: dict[str, Reproduction] = {}
    for point in entry_points(group=GROUP):
        found |= point.load()
    return found


def find_reproduction(name: str) -> Reproduction:
    """Return what is registered under a name.

    Raises:
        UnknownNameError: If nothing is; the message lists the closest.
    """
    known = reproductions()
    if name not in known:
        raise UnknownNameError("table", name, known)
    return known[name]
