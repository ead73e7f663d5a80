"""The cache folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoogen.places import user_cache

VARIABLE = "ZOOBENCH_CACHE"


def cache_folder() -> Path:
    """Return the folder of embeddings and training runs: ``$ZOOBENCH_CACHE`` or the user's cache.

    Example:
        >>> import zoobench
        >>> zoobench.cache_folder().is_absolute()
        True
    """
    return user_cache("zoobench")


@contextmanager
def cache_at(folder: Path) -> Iterator[None]:
    """Use another cache folder until the block ends, so that nothing of earlier runs is found."""
    previous = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if previous is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = previous
