"""Run an embedder on a stack of its own, away from the files of the zoo it is scored on."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from zoogen import ZooError

Result = TypeVar("Result")

OPEN = "open"
ZOO_SUFFIXES = (".json", ".parquet", ".safetensors")
"""Suffixes of the files of a zoo. Its folder may also hold the embedder's code."""
SEARCHES = frozenset({"gc.get_objects", "gc.get_referrers", "sys._current_frames"})
"""Audit events of calls that find objects nobody handed over; honest code never needs them."""


class EmbedderError(ZooError):
    """An embedder broke the protocol."""


class Watch:
    """Refuses forbidden calls of an embedder and remembers the first."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(os.path.realpath(folder) for folder in folders)
        self.caught = ""

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Check an audit event of the interpreter.

        Raises:
            EmbedderError: If the call would show what an embedder must not see.
        """
        if event in SEARCHES:
            self.refuse(f"called {event}, which can find labels")
        elif isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            inside = any(path.startswith(f"{folder}{os.sep}") for folder in self.folders)
            if inside and path.endswith(ZOO_SUFFIXES):
                self.refuse(f"opened {path}, a file that can tell models, epochs and labels")

    def refuse(self, action: str) -> None:
        """Remember what the embedder did, and stop it."""
        self.caught = self.caught or action
        raise EmbedderError(action)


WATCHES: list[Watch] = []


@cache
def start_watching() -> None:
    """Install the audit hook, once: Python cannot remove it again."""

    def report(event: str, arguments: tuple[Any, ...]) -> None:
        if WATCHES and (event == OPEN or event in SEARCHES):
            for watch in tuple(WATCHES):
                watch.look(event, arguments)

    sys.addaudithook(report)


@contextmanager
def watched(name: str, folders: Sequence[Path]) -> Iterator[None]:
    """Forbid opening files of zoos and searching for objects until the block ends.

    Args:
        name: Name of the embedder.
        folders: Folders of the zoos. Files that native code opens there go unseen.

    Raises:
        EmbedderError: At the call, and again at the end in case the embedder hides the error.
    """
    start_watching()
    watch = Watch(folders)
    WATCHES.append(watch)
    try:
        yield
    finally:
        WATCHES.remove(watch)
        if watch.caught:
            raise EmbedderError(f"{name} {watch.caught}; use only weights and layout")


def alone(work: Callable[[], Result]) -> Result:
    """Run some work in a thread of its own, so that no frame on its stack knows the labels.

    Raises:
        EmbedderError: If the work tries to end the program.
        BaseException: Whatever else the work raises. An interrupt of the caller reaches the work.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except SystemExit as error:  # an embedder must not choose the exit status
            errors.append(EmbedderError(f"the embedder tried to end the program ({error!r})"))
        except BaseException as error:  # noqa: BLE001, the caller's thread raises it
            errors.append(error)

    thread = Thread(target=copy_context().run, args=(run,), daemon=True)
    try:
        thread.start()
        thread.join()
    except KeyboardInterrupt as interrupt:
        if thread.ident is not None:
            raise_in(thread.ident, KeyboardInterrupt)
            thread.join()
        raise interrupt from None
    if errors:
        raise errors.pop()  # a local name would keep alive the arrays of the traceback's frames
    return results[0]


def raise_in(thread: int, error: type[BaseException]) -> None:
    """Raise an error in another thread when it next runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
