"""The client of the Hugging Face Hub, and the contents of a repository."""

import re
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from zoogen.errors import ZooError
from zoogen.extras import extra_package

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """A file as the Hub lists it; only large files have a SHA-256."""

    bytes: int
    blob: str
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a repository holds at one commit."""

    commit: str
    private: bool
    files: dict[str, HeldFile]
    tags: dict[str, str]
    branches: set[str]


def check_repository(name: str) -> str:
    """Return the name of a repository if it is a possible one.

    Raises:
        ZooError: If it is not.
    """
    if not REPOSITORY.fullmatch(name) or len(name) > 96 or re.search(r"--|\.\.", name):
        raise ZooError(
            f"{name!r} is not a repository of the Hub; expected OWNER/NAME, such as me/zoo"
        )
    return name


def hub_client(endpoint: str | None, token: str | None) -> "HfApi":
    """Return a client of the Hub.

    Args:
        endpoint: URL of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: Access token; by default ``$HF_TOKEN`` or that of ``hf auth login``.

    Raises:
        ZooError: If ``huggingface_hub`` is not installed, or the endpoint is not a URL.
    """
    extra_package("huggingface_hub", "the Hub")
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    if not is_url(api.endpoint):
        raise ZooError(
            f"{api.endpoint!r} is not the URL of a Hub; expected one such as "
            "https://huggingface.co: set or unset HF_ENDPOINT"
        )
    return api


def is_url(endpoint: str) -> bool:
    """Tell whether an endpoint is a URL that requests can be sent to."""
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def bars_on_terminal_only() -> AbstractContextManager[object]:
    """Hide the client's progress bars without a terminal: some of them do not check."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    return nullcontext() if sys.stderr.isatty() else disable_progress_bars()


def holding(api: "HfApi", repository: str, revision: str = "main") -> Holding | None:
    """Ask the Hub what a data set holds.

    Returns:
        None if there is no such data set or the token may not see it.

    Raises:
        huggingface_hub.errors.RevisionNotFoundError: If it has no such revision.
    """
    from huggingface_hub import RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = api.dataset_info(repository, revision=revision)
    except RepositoryNotFoundError:
        return None
    commit = info.sha or revision
    tree = api.list_repo_tree(repository, recursive=True, revision=commit, repo_type="dataset")
    refs = api.list_repo_refs(repository, repo_type="dataset")
    return Holding(
        commit=commit,
        private=bool(info.private),
        files={
            entry.path: HeldFile(
                bytes=entry.size,
                blob=entry.blob_id,
                sha256=entry.lfs.sha256 if entry.lfs else None,
            )
            for entry in tree
            if isinstance(entry, RepoFile)
        },
        tags={tag.name: tag.target_commit for tag in refs.tags},
        branches={branch.name for branch in refs.branches},
    )


def download_small_file(
    api: "HfApi", repository: str, file: str, commit: str, folder: Path
) -> Path:
    """Download a small file to a path in a folder, even if an earlier call left one there."""
    return Path(
        api.hf_hub_download(
            repository,
            file,
            repo_type="dataset",
            revision=commit,
            cache_dir=folder,
            force_download=True,
        )
    )


def git_blob_id(path: Path) -> str:
    """Return the id that git gives a file."""
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()
