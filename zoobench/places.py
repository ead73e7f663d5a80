"""Where things are kept between runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoogen import user_cache

VARIABLE = "ZOOBENCH_CACHE"


def cache_folder() -> Path:
    """Return where embeddings and training runs are: ``$ZOOBENCH_CACHE`` or the user's cache."""
    return user_cache("zoobench")


@contextmanager
def cache_at(folder: Path) -> Iterator[None]:
    """Keep things in another folder until the block ends; nothing of earlier runs is known."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
