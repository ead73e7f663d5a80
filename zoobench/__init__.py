"""Score what any embedder knows of the networks of a zoo."""

import lazy_loader

# What is exported, and from where, is in the stub beside this file; a module is loaded with the
# first use of something in it, so that a command answers at once.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
