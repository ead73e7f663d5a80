"""Populations of trained networks, as data: build them, store them, load them."""

import lazy_loader

# What is exported, and from where, is in the stub beside this file; a module is loaded with the
# first use of something in it, so that a command answers at once.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
