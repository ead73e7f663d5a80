"""What goes wrong on the way to a Hub, on demand."""

import re
from dataclasses import dataclass, field
from threading import Event, Lock


@dataclass(frozen=True)
class Answer:
    """The request is refused with a status and does nothing."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The connection is closed after so many bytes of the body, of the request's if it has one."""

    after: int


@dataclass(frozen=True)
class Hold:
    """The request waits, before it does anything, until the test lets it go."""

    reached: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)

    def release(self) -> None:
        """Let it go on."""
        self.released.set()


Action = Answer | Cut | Hold


@dataclass
class Fault:
    """Something that happens to ``times`` requests that match, once ``skip`` have passed."""

    method: str
    path: re.Pattern[str]
    action: Action
    times: int
    skip: int = 0


class Faults:
    """The faults to come, in the order they were asked for."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.coming: list[Fault] = []

    def add(self, action: Action, method: str, path: str, times: int = 1, skip: int = 0) -> None:
        """Ask for a fault; ``path`` is searched for in the decoded path, as a pattern."""
        with self.lock:
            self.coming.append(Fault(method, re.compile(path), action, times, skip))

    def take(self, method: str, path: str) -> Action | None:
        """Return what is to happen to this request."""
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
        """Let go all that still wait."""
        for fault in self.coming:
            if isinstance(fault.action, Hold):
                fault.action.release()
