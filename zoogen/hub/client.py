"""The Hugging Face Hub: the client, and what a repository holds."""

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
    """What the Hub says of a file; large files have a SHA-256, the others a git blob id."""

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
    """Return the name of a repository if it can be one.

    Raises:
        ZooError: If it cannot.
    """
    if not REPOSITORY.fullmatch(name) or len(name) > 96 or re.search(r"--|\.\.", name):
        raise ZooError(
            f"{name!r} names no repository of the Hub: expected OWNER/NAME, as in me/zoo"
        )
    return name


def hub_client(endpoint: str | None, token: str | None) -> "HfApi":
    """Return a client of the Hub.

    Args:
        endpoint: Address of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: By default ``$HF_TOKEN`` or that of ``hf auth login``.

    Raises:
        ZooError: If ``huggingface_hub`` is not installed, or the address is none.
    """
    extra_package("huggingface_hub", "the Hub")
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    if not is_address(api.endpoint):
        raise ZooError(
            f"{api.endpoint!r} is no address of a Hub: expected one like https://huggingface.co; "
            "set or unset HF_ENDPOINT"
        )
    return api


def is_address(endpoint: str) -> bool:
    """Tell whether requests can be sent to an address at all."""
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def bars_where_watched() -> AbstractContextManager[object]:
    """Let the client show its bars on a terminal only; not all of them see to it themselves."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    return nullcontext() if sys.stderr.isatty() else disable_progress_bars()


def holding(api: "HfApi", repository: str, revision: str = "main") -> Holding | None:
    """Ask what a data set holds.

    Returns:
        None if there is no such data set that the token may see.

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


def read_back(api: "HfApi", repository: str, file: str, commit: str, place: Path) -> Path:
    """Download a small file to somewhere in a folder, whatever an earlier call has left there."""
    return Path(
        api.hf_hub_download(
            repository,
            file,
            repo_type="dataset",
            revision=commit,
            cache_dir=place,
            force_download=True,
        )
    )


def blob_of(path: Path) -> str:
    """Name a small file as git does."""
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()
