"""What a user asks an importer for."""

from dataclasses import dataclass
from pathlib import Path

NO_IMAGES = "none"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A source, and what its files may not say themselves.

    Attributes:
        source: Folder, archive or file.
        name: Of the zoo, if not the format's own.
        images: Name of an image set, or a file, to measure accuracies on; ``NO_IMAGES`` is none.
        licence: Of the original.
    """

    source: Path
    name: str | None = None
    images: str | None = None
    licence: str | None = None

    def images_or(self, *known: str) -> tuple[str, ...]:
        """Return the images that accuracies may be of: what the user names, or what is known."""
        return (self.images,) if self.images and self.measure else known

    @property
    def measure(self) -> bool:
        """Whether accuracies are to be measured."""
        return self.images != NO_IMAGES
