"""Errors that the user can fix; every message says how."""

from collections.abc import Iterable
from difflib import get_close_matches


class ZooError(Exception):
    """An input, setting or stored zoo that cannot be used; shown without a traceback."""


class UnknownNameError(ZooError, LookupError):
    """A name that is not registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(kind, name, sorted(known))  # unpickling passes these arguments again

    def __str__(self) -> str:
        kind, name, known = self.args
        if not known:
            return f"no {kind} called {name!r}; none exist"
        near = get_close_matches(name, known) or known
        return f"no {kind} called {name!r}; closest: {', '.join(near)}"


class IntegrityError(ZooError):
    """A file of a zoo that is missing, truncated or different from what the manifest says."""


class UnwritableError(ZooError):
    """A folder that cannot be written, or a full disk."""
