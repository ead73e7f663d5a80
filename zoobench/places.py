"""Where things are kept between runs."""

from pathlib import Path

from zoogen import user_cache


def cache_folder() -> Path:
    """Return where embeddings and training runs are: ``$ZOOBENCH_CACHE`` or the user's cache."""
    return user_cache("zoobench")
