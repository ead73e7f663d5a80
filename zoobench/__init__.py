"""Score what any embedder knows of the networks of a zoo."""

from zoobench.embed import Embedder

__all__ = ["Embedder"]
