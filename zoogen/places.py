"""Where things are kept when nobody says where."""

import os
from pathlib import Path


def user_cache(package: str) -> Path:
    """Return the folder ``$ZOOGEN_CACHE`` names for ``zoogen``, or its own in the user's cache."""
    named = os.environ.get(f"{package.upper()}_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / package
    return (Path(named) if named else home).expanduser()


def cache_folder() -> Path:
    """Return where zoos and images are kept."""
    return user_cache("zoogen")


def zoo_folder(name: str, cache_dir: Path | None = None) -> Path:
    """Return where the zoo called ``name`` is kept."""
    return (cache_dir or cache_folder()) / name


def named_image_folder() -> Path | None:
    """Return ``$ZOOGEN_IMAGES``, the folder that already holds the public image sets, if set."""
    named = os.environ.get("ZOOGEN_IMAGES")
    return Path(named).expanduser() if named else None
