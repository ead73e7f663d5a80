"""One file per module, and contracts over the registries."""
