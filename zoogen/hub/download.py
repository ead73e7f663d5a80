"""Files of a repository to a folder, several at a time, each proved before it takes its place."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Any

from zoogen.hub.client import HeldFile
from zoogen.hub.errors import hub_errors
from zoogen.hub.remote import Remote, check_against_listing
from zoogen.progress import progress_bar

AT_A_TIME = 8


def download(
    remote: Remote,
    names: Sequence[str],
    files: dict[str, HeldFile],
    *,
    stage: Path,
    keep: Callable[[str, Path], None],
) -> None:
    """Download files; each is handed to ``keep`` once it is the one that the commit holds.

    After an error or Ctrl-C those in work are dropped, the others kept.

    Args:
        remote: From where.
        names: Which.
        files: What the repository says of them.
        stage: Folder for what is not whole yet, on the file system where files are to be kept.
        keep: Takes a name and the path in the stage, and moves the file to its place.

    Raises:
        ZooError: If the Hub cannot be reached or refuses.
        IntegrityError: At the first file that arrives altered.
    """
    stop = Event()

    def fetch(name: str) -> None:
        with hub_errors(remote.api, remote.repository):
            path = Path(
                remote.api.hf_hub_download(
                    remote.repository,
                    name,
                    repo_type="dataset",
                    revision=remote.commit,
                    local_dir=stage,
                    tqdm_class=counter(report, stop),
                )
            )
        check_against_listing(path, name, remote, files[name])
        keep(name, path)

    size = sum(files[name].bytes for name in names)
    with (
        progress_bar("fetch", things="files", total=len(names), unit="B", steps=size) as report,
        ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="fetch") as pool,
    ):
        jobs = [pool.submit(fetch, name) for name in names]
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class StoppedError(RuntimeError):
    """Another file has failed, or the user has had enough."""


def counter(report: Callable[[int], None], stop: Event) -> type[Any]:
    """Return what the client takes for the class of its bars: it counts bytes into our own."""
    from huggingface_hub.utils.tqdm import tqdm

    class Counter(tqdm):
        """Shows nothing itself."""

        def __init__(self, **of_the_bar: Any) -> None:
            super().__init__(disable=True, total=of_the_bar.get("total"))  # type: ignore[no-untyped-call]

        def update(self, n: int | float | None = 1) -> None:
            """Count bytes; there is no other place to stop a download at."""
            if stop.is_set():
                raise StoppedError("stopped")
            report(int(n or 0))

        def update_transfer(self, n: int | float | None = 1) -> None:
            """Bytes on the way are not counted apart from those that have arrived."""

        def set_transfer_postfix_str(self, *_: Any, **__: Any) -> None:
            """Their rate is not shown either."""

    return Counter
