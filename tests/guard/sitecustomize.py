"""No way out of this machine, for the tests and, by ``PYTHONPATH``, every Python they start.

Python imports a module of this name when it starts. What is not Python is out of its reach.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

THIS_MACHINE = {"localhost", "127.0.0.1", "::1", "", None}
VIEWER = ".127.0.0.1"
"""``datasets`` asks ``datasets-server.`` and the endpoint's name; nobody's name server knows it."""


class ReachedOutError(BaseException):
    """Something tried to leave this machine; no ``Exception``, so that nobody swallows it."""


def stays_here(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a socket method reach this machine only."""

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        host = arguments[-1][0] if self.family in {socket.AF_INET, socket.AF_INET6} else None
        if host not in THIS_MACHINE:
            raise ReachedOutError(f"a test reaches for {host}")
        return call(self, *arguments)

    return guarded


def looks_up_this_machine(host: Any, *arguments: Any, **options: Any) -> Any:
    """Resolve no name but this machine's: a look-up leaves it too."""
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith(VIEWER):
        name = VIEWER.removeprefix(".")
    if name not in THIS_MACHINE:
        raise ReachedOutError(f"a test looks up {name}")
    return getaddrinfo(name, *arguments, **options)


getaddrinfo = socket.getaddrinfo
GUARDED = {
    (socket.socket, "connect"): stays_here(socket.socket.connect),
    (socket.socket, "connect_ex"): stays_here(socket.socket.connect_ex),
    (socket.socket, "sendto"): stays_here(socket.socket.sendto),
    (socket, "getaddrinfo"): looks_up_this_machine,
}

if os.environ.get("NO_WAY_OUT"):
    for (place, name), guarded_call in GUARDED.items():
        setattr(place, name, guarded_call)
