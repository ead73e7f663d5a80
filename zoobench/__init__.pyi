"""Score what any embedder knows of the networks of a zoo."""

from .embedders.embed import Embedder
from .embedders.space import Choice, SearchSpace, Uniform
from .places import cache_folder

__all__ = ["Choice", "Embedder", "SearchSpace", "Uniform", "cache_folder"]
