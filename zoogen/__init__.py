"""Populations of trained networks, as data: build them, store them, load them."""

import lazy_loader

# The stub beside this file lists the public names. A module loads when one of its names is first
# used, so that commands start fast.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
