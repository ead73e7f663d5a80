"""Default folders."""

import os
from pathlib import Path


def user_cache(package: str) -> Path:
    """Return the cache of a package: ``$ZOOGEN_CACHE`` for ``zoogen``, or one in the user's."""
    named = os.environ.get(f"{package.upper()}_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / package
    return (Path(named) if named else home).expanduser()


def cache_folder() -> Path:
    """Return the folder of zoos and images."""
    return user_cache("zoogen")


def zoo_folder(name: str, cache_dir: Path | None = None) -> Path:
    """Return the folder of the zoo called ``name``.

    Example:
        >>> import zoogen
        >>> zoogen.zoo_folder("tetris-seed").name
        'tetris-seed'
    """
    return (cache_dir or cache_folder()) / name


def named_image_folder() -> Path | None:
    """Return ``$ZOOGEN_IMAGES``, the folder of the public image sets, or None if it is not set."""
    named = os.environ.get("ZOOGEN_IMAGES")
    return Path(named).expanduser() if named else None
