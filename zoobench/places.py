"""Where things are kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return where embeddings are kept: ``$ZOOBENCH_CACHE`` or the user's cache."""
    named = os.environ.get("ZOOBENCH_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(named).expanduser() if named else home / "zoobench"
