"""Score what any embedder knows of the networks of a zoo."""

from zoobench.embed import Embedder
from zoobench.places import cache_folder
from zoobench.space import Choice, SearchSpace, Uniform

__all__ = ["Choice", "Embedder", "SearchSpace", "Uniform", "cache_folder"]
