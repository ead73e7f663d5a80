"""Score what any embedder knows of the networks of a zoo."""

from zoobench.embed import Embedder
from zoobench.places import cache_folder

__all__ = ["Embedder", "cache_folder"]
