"""Download files of a repository, several at a time, and check each one."""

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
    """Download files; hand each to ``keep`` once its hash is the one that the Hub lists.

    After an error or Ctrl-C, finished files are kept and unfinished ones dropped.

    Args:
        remote: Repository and commit to download from.
        names: Files to download.
        files: All files of the commit, as the Hub lists them.
        stage: Folder for unfinished files, on the file system of the final folder.
        keep: Called with a name and a path in the stage; moves the file to its place.

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
    """Another file failed, or the user pressed Ctrl-C."""


def counter(report: Callable[[int], None], stop: Event) -> type[Any]:
    """Return a class that replaces the client's progress bars and reports bytes to ours."""
    from huggingface_hub.utils.tqdm import tqdm

    class Counter(tqdm):
        """A bar that shows nothing itself."""

        def __init__(self, **of_the_bar: Any) -> None:
            super().__init__(disable=True, total=of_the_bar.get("total"))  # type: ignore[no-untyped-call]

        def update(self, n: int | float | None = 1) -> None:
            """Report bytes, or stop: a download can be stopped nowhere else."""
            if stop.is_set():
                raise StoppedError("stopped")
            report(int(n or 0))

        def update_transfer(self, n: int | float | None = 1) -> None:
            """Ignore bytes on the way: only those that arrived count."""

        def set_transfer_postfix_str(self, *_: Any, **__: Any) -> None:
            """Ignore the rate, which is not shown."""

    return Counter
