"""Score what any embedder knows of the networks of a zoo."""

from .embed import Embedder
from .places import cache_folder
from .space import Choice, SearchSpace, Uniform

__all__ = ["Choice", "Embedder", "SearchSpace", "Uniform", "cache_folder"]
