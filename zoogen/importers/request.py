"""What the user asks to import."""

import re
from dataclasses import dataclass
from pathlib import Path

from zoogen.errors import ZooError

NO_IMAGES = "none"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """A source to import, and what its files may not say themselves.

    Attributes:
        source: Folder, archive or file.
        name: Name of the zoo, to replace the format's own.
        images: Image set or file to measure accuracies on; ``NO_IMAGES`` skips this.
        licence: Licence of the original.

    Raises:
        ZooError: If the name is not valid for a zoo.
    """

    source: Path
    name: str | None = None
    images: str | None = None
    licence: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not NAME.fullmatch(self.name):
            raise ZooError(
                f"invalid zoo name {self.name[:100]!r}: "
                "expected lower-case letters, digits, - and ."
            )

    def images_or(self, *known: str) -> tuple[str, ...]:
        """Return the images the user names, or else the ``known`` candidates of the format."""
        return (self.images,) if self.images and self.measure else known

    @property
    def measure(self) -> bool:
        """Whether to measure accuracies again."""
        return self.images != NO_IMAGES
