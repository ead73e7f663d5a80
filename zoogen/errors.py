"""What can go wrong on the user's side; every message says what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class ZooError(Exception):
    """A request or a stored zoo that cannot be used as it is; shown without a traceback."""


class UnknownNameError(ZooError, LookupError):
    """A name that is not registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(kind, name, sorted(known))  # as given: so it survives pickling

    def __str__(self) -> str:
        kind, name, known = self.args
        if not known:
            return f"no {kind} called {name!r}; there is none of any name"
        near = get_close_matches(name, known) or known
        return f"no {kind} called {name!r}; closest: {', '.join(near)}"


class IntegrityError(ZooError):
    """A file of a zoo that is missing, truncated or not the one its manifest names."""


class UnwritableError(ZooError):
    """A folder that cannot be written, or a disk that is full."""
