"""Score how much an embedder knows about the networks of a zoo."""

import lazy_loader

# The stub beside this file says what is exported and from where. A module loads when something in
# it is first used, so commands start fast.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
