"""What a user asks an importer for."""

import re
from dataclasses import dataclass
from pathlib import Path

from zoogen.errors import ZooError

NO_IMAGES = "none"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A source, and what its files may not say themselves.

    Attributes:
        source: Folder, archive or file.
        name: Of the zoo, if not the format's own.
        images: Name of an image set, or a file, to measure accuracies on; ``NO_IMAGES`` is none.
        licence: Of the original.

    Raises:
        ZooError: If no zoo can have that name.
    """

    source: Path
    name: str | None = None
    images: str | None = None
    licence: str | None = None

    def images_or(self, *known: str) -> tuple[str, ...]:
        """Return the images that accuracies may be of: what the user names, or what is known."""
        return (self.images,) if self.images and self.measure else known

    def __post_init__(self) -> None:
        if self.name is not None and not NAME.fullmatch(self.name):
            raise ZooError(
                f"no zoo is called {self.name[:100]!r}: expected small letters, digits, - and ."
            )

    @property
    def measure(self) -> bool:
        """Whether accuracies are to be measured."""
        return self.images != NO_IMAGES
