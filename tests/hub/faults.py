"""Faults on the way to a Hub, on demand."""

import re
from dataclasses import dataclass, field
from threading import Event, Lock


@dataclass(frozen=True)
class Answer:
    """Refuse the request with a status; it does nothing."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """Close the connection after some bytes of the request's body, or of the reply's if none."""

    after: int


@dataclass(frozen=True)
class Hold:
    """Make the request wait, before it does anything, until the test releases it."""

    reached: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)

    def release(self) -> None:
        """Let the request continue."""
        self.released.set()


Action = Answer | Cut | Hold


@dataclass
class Fault:
    """An action on ``times`` matching requests, after ``skip`` others."""

    method: str
    path: re.Pattern[str]
    action: Action
    times: int
    skip: int = 0


class Faults:
    """The coming faults, in the order in which they were added."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.coming: list[Fault] = []

    def add(self, action: Action, method: str, path: str, times: int = 1, skip: int = 0) -> None:
        """Add a fault; ``path`` is a pattern to search for in the decoded path."""
        with self.lock:
            self.coming.append(Fault(method, re.compile(path), action, times, skip))

    def take(self, method: str, path: str) -> Action | None:
        """Return the action on this request, if there is one."""
        with self.lock:
            for fault in self.coming:
                if fault.times == 0 or fault.method != method or not fault.path.search(path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault.action
        return None

    def release_all(self) -> None:
        """Release all requests that still wait."""
        for fault in self.coming:
            if isinstance(fault.action, Hold):
                fault.action.release()
