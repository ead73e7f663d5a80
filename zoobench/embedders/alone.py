"""An embedder at work: alone on its stack, and away from the files of the zoo it is scored on."""

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

OPENS = "open"
TELLING = (".json", ".parquet", ".safetensors")
"""Files of a zoo; code may lie beside them, where the command is run in the zoo's folder."""
SEARCHES = frozenset({"gc.get_objects", "gc.get_referrers", "sys._current_frames"})
"""What finds objects of the process that nobody handed over; honest code has no use for it."""


class EmbedderError(ZooError):
    """An embedder that broke the protocol."""


class Watch:
    """What an embedder reached for that is none of its business."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(os.path.realpath(folder) for folder in folders)
        self.caught = ""

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse an event of the interpreter; what was refused is remembered.

        Raises:
            EmbedderError: If it would show what an embedder must not see.
        """
        if event in SEARCHES:
            self.refuse(f"called {event}, which finds labels nobody handed over")
        elif isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            inside = any(path.startswith(f"{folder}{os.sep}") for folder in self.folders)
            if inside and path.endswith(TELLING):
                self.refuse(f"opened {path}: a zoo's files name its models, epochs and labels")

    def refuse(self, deed: str) -> None:
        """Remember a deed and stop it."""
        self.caught = self.caught or deed
        raise EmbedderError(deed)


WATCHES: list[Watch] = []


@cache
def start_watching() -> None:
    """Ask the interpreter to report events; that cannot be taken back, so it is asked once."""

    def report(event: str, arguments: tuple[Any, ...]) -> None:
        if WATCHES and (event == OPENS or event in SEARCHES):
            for watch in tuple(WATCHES):
                watch.look(event, arguments)

    sys.addaudithook(report)


@contextmanager
def watched(name: str, folders: Sequence[Path]) -> Iterator[None]:
    """Refuse looks into zoos, and at objects that were not handed over, until the block ends.

    Args:
        name: Of the embedder at work.
        folders: Of the zoos; what Python opens there is seen, what native code opens is not.

    Raises:
        EmbedderError: At the look, and again at the end in case the embedder swallowed it.
    """
    start_watching()
    watch = Watch(folders)
    WATCHES.append(watch)
    try:
        yield
    finally:
        WATCHES.remove(watch)
        if watch.caught:
            raise EmbedderError(f"{name} {watch.caught}; an embedder sees weights and layout only")


def alone(work: Callable[[], Result]) -> Result:
    """Run in a thread of its own: the frames below it lead to no one who knows the labels.

    Raises:
        EmbedderError: If the work asks to end the program.
        BaseException: Whatever else it raises. An interrupt of the caller reaches the work.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except SystemExit as error:  # the status of a command is not the embedder's to choose
            errors.append(EmbedderError(f"the embedder asked to end the program ({error!r})"))
        except BaseException as error:  # noqa: BLE001, it is raised where the work was asked for
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
        raise errors.pop()  # a local name would keep the arrays of the frames it came through
    return results[0]


def raise_in(thread: int, error: type[BaseException]) -> None:
    """Raise an error in another thread, as soon as that is at a line of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
