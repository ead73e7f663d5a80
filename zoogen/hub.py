"""The Hugging Face Hub: the client, what a repository holds, and its errors in plain words."""

import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoogen.errors import ZooError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
AGAIN = "call the same command again: it goes on where this one stopped"


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
        ZooError: If ``huggingface_hub`` is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise ZooError(
            "the Hub needs the package huggingface_hub; run: pip install 'zoobench[hub]'"
        ) from error
    return HfApi(endpoint=endpoint, token=token)


@contextmanager
def hub_errors(api: "HfApi", repository: str) -> Iterator[None]:
    """Say in plain words what went wrong with the Hub, and what to do.

    Raises:
        ZooError: For everything that the client or the network raises.
    """
    from huggingface_hub.errors import HfHubHTTPError

    of_the_transport: Any = HfHubHTTPError.__bases__[0]  # httpx or httpx2, as the version has it
    try:
        yield
    except (of_the_transport, OSError, RuntimeError, ValueError) as error:
        words = in_plain_words(error, api.endpoint)
        raise ZooError(f"{repository} on {api.endpoint}: {words}") from error


def bars_where_watched() -> AbstractContextManager[object]:
    """Let the client show its bars on a terminal only; not all of them see to it themselves."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    return nullcontext() if sys.stderr.isatty() else disable_progress_bars()


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def in_plain_words(error: BaseException, endpoint: str) -> str:
    """Explain an error of the client."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    for cause in causes(error):
        if isinstance(cause, OfflineModeIsEnabled):
            return "offline; unset HF_HUB_OFFLINE to reach it"
        if isinstance(cause, RevisionNotFoundError):
            return "it has no such revision; its page lists branches and tags"
        if isinstance(cause, RepositoryNotFoundError):
            return (
                "there is no such data set, or it is private and your token may not see it; "
                "check the name, or log in with: hf auth login"
            )
        if isinstance(cause, HfHubHTTPError):
            return status_in_words(cause.response.status_code, cause.server_message or "")
    last = list(causes(error))[-1]
    if isinstance(last, ValueError):
        return f"the client refuses: {last}"
    return f"no connection ({last}); see that {endpoint} can be reached, then {AGAIN}"


def status_in_words(status: int, message: str) -> str:
    """Explain a status that the Hub refused a request with."""
    said = f" ({message})" if message else ""
    match status:
        case 401:
            return f"it knows no token of yours, or not this one{said}; run: hf auth login"
        case 403:
            return (
                f"your token may not do this{said}; take one with write access, or send the zoo "
                "as a pull request: --create-pr"
            )
        case 409 | 412:
            return f"somebody else has written to it meanwhile{said}; {AGAIN}"
        case 429:
            return f"too many requests, it asks to wait{said}; wait some minutes, then {AGAIN}"
    if status >= 500:
        return f"it has trouble of its own, status {status}{said}; later, {AGAIN}"
    return f"it refuses with status {status}{said}"


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


def read_back(
    api: "HfApi", repository: str, file: str, commit: str, cache_dir: Path | None
) -> Path:
    """Download a small file, whatever an earlier call has left in the cache."""
    return Path(
        api.hf_hub_download(
            repository,
            file,
            repo_type="dataset",
            revision=commit,
            cache_dir=cache_dir,
            force_download=True,
        )
    )


def blob_of(path: Path) -> str:
    """Name a small file as git does."""
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()
