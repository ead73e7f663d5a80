"""A zoo on the Hub, pinned to a commit: what it holds, and where it is kept here."""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import IntegrityError, ZooError
from zoogen.hub.client import HeldFile, blob_of, holding, hub_client, read_back
from zoogen.hub.errors import causes, hub_errors
from zoogen.hub.reference import COMMIT, Reference
from zoogen.places import cache_folder
from zoogen.store.folder import WEIGHTS
from zoogen.store.manifest import MANIFEST, TABLE, FileEntry, Manifest, read_manifest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

LARGEST_MANIFEST = 1 << 26

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A repository at a commit.

    Attributes:
        api: The client, which knows endpoint and token.
        reference: What was asked for.
        commit: What that means: 40 hex digits.
        cache: Folder in which zoos are kept.
    """

    api: "HfApi"
    reference: Reference
    commit: str
    cache: Path

    @property
    def repository(self) -> str:
        """``OWNER/NAME``."""
        return self.reference.repository

    @property
    def page(self) -> str:
        """Address of the repository at the commit."""
        return f"{self.api.endpoint}/datasets/{self.repository}/tree/{self.commit}"

    @property
    def folder(self) -> Path:
        """Where what is fetched of this commit is kept."""
        return repository_folder(self.reference, self.cache) / self.commit


def repository_folder(reference: Reference, cache: Path) -> Path:
    """Return where all that is fetched of a repository is kept."""
    return cache / "hub" / reference.repository.replace("/", "--")


def find_remote(
    reference: Reference,
    *,
    endpoint: str | None = None,
    token: str | None = None,
    cache_dir: Path | None = None,
) -> Remote:
    """Resolve a revision to a commit, once: everything is read at that commit.

    If the Hub cannot be reached, the commit is the one that the revision meant the last time. A
    revision that is a commit is not asked for.

    Raises:
        ZooError: If there is no such repository or revision, or the Hub cannot be reached and the
            revision was never asked for before.
    """
    api, cache = hub_client(endpoint, token), cache_dir or cache_folder()
    if reference.is_commit:
        return Remote(api=api, reference=reference, commit=reference.revision, cache=cache)
    note = noted_commit(reference, cache)
    try:
        with hub_errors(api, reference.repository):
            found = api.dataset_info(reference.repository, revision=reference.revision).sha or ""
    except ZooError as error:
        known = note.read_text(encoding="ascii") if note.is_file() else ""
        if not (is_out_of_reach(error) and COMMIT.fullmatch(known)):
            raise
        log.warning("%s; going by what %s was the last time: %s", error, reference, known)
        return Remote(api=api, reference=reference, commit=known, cache=cache)
    if not COMMIT.fullmatch(found):
        raise IntegrityError(f"{api.endpoint} says that {reference} is {found!r}: no commit")
    return Remote(api=api, reference=reference, commit=found, cache=cache)


def noted_commit(reference: Reference, cache: Path) -> Path:
    """Return where it is noted which commit a revision was the last time."""
    name = f"{quote(reference.revision, safe='')}.commit"
    return repository_folder(reference, cache) / "revisions" / name


def noted_folder(reference: Reference, cache: Path) -> Path:
    """Return where a revision is kept as it was the last time, without asking the Hub.

    Raises:
        ZooError: If it was never fetched.
    """
    note, commit = noted_commit(reference, cache), reference.revision
    if not reference.is_commit:
        commit = note.read_text(encoding="ascii") if note.is_file() else ""
    folder = repository_folder(reference, cache) / commit
    if not COMMIT.fullmatch(commit) or not (folder / MANIFEST).exists():
        raise ZooError(f"{reference} is not in {cache}; run: zoogen fetch {reference}")
    return folder


def note_commit(remote: Remote) -> None:
    """Note what a revision means, for when the Hub cannot be reached."""
    note = noted_commit(remote.reference, remote.cache)
    if not (note.is_file() and note.read_text(encoding="ascii") == remote.commit):
        write_text(note, remote.commit)


def is_out_of_reach(error: ZooError) -> bool:
    """Tell whether the Hub has not answered, rather than answered with a refusal."""
    from huggingface_hub.errors import HfHubHTTPError

    answers = [one for one in causes(error) if isinstance(one, HfHubHTTPError)]
    return all(answer.response.status_code >= 500 for answer in answers)


def held_files(remote: Remote) -> dict[str, HeldFile]:
    """List what the repository holds at the commit, with sizes and hashes.

    Raises:
        ZooError: If it is no zoo, or cannot be reached.
    """
    with hub_errors(remote.api, remote.repository):
        held = holding(remote.api, remote.repository, remote.commit)
    files = held.files if held else {}
    if MANIFEST not in files:
        raise ZooError(
            f"{remote.page} is not a zoo: it has no {MANIFEST}; see that {remote.reference} is the "
            "data set and the revision you mean"
        )
    return files


def published_manifest(remote: Remote, files: dict[str, HeldFile]) -> tuple[Manifest, bytes]:
    """Read the manifest at the commit, also as it is written there.

    Raises:
        ZooError: If it is of a newer format version, or the repository cannot be reached.
        IntegrityError: If it is damaged, or names files where a zoo has none.
    """
    if files[MANIFEST].bytes > LARGEST_MANIFEST:
        raise IntegrityError(
            f"{remote.page}: a {MANIFEST} of {files[MANIFEST].bytes} bytes is none"
        )
    with TemporaryDirectory(prefix="zoogen-fetch-") as scratch:
        with hub_errors(remote.api, remote.repository):
            path = read_back(remote.api, remote.repository, MANIFEST, remote.commit, Path(scratch))
        check_against_listing(path, MANIFEST, remote, files[MANIFEST])
        try:
            manifest = read_manifest(path.parent)
        except ZooError as error:
            said = str(error).replace(str(path), f"{remote.page}: {MANIFEST}")
            raise type(error)(f"{said.rpartition('; ')[0]}; nothing was fetched") from error
        check_names(manifest, remote)
        return manifest, path.read_bytes()


def check_names(manifest: Manifest, remote: Remote) -> None:
    """Refuse a manifest whose files would lie in each other's places.

    Raises:
        IntegrityError: If one would.
    """
    times = Counter(shard.file for shard in manifest.shards)
    wrong = [name for name in times if Path(name).parent.as_posix() != WEIGHTS or times[name] > 1]
    wrong += [manifest.table.file] * (manifest.table.file != TABLE)
    if wrong:
        raise IntegrityError(
            f"{remote.page}: {MANIFEST} names a file {wrong[0]} where none can be, or twice; "
            "nothing was fetched"
        )


def check_held(entries: list[FileEntry], files: dict[str, HeldFile], remote: Remote) -> None:
    """Hold what the repository says of its files against the manifest, before any is fetched.

    Raises:
        IntegrityError: At the first that is missing or another; nothing has been fetched.
    """
    for entry in entries:
        held = files.get(entry.file)
        if held is None:
            raise IntegrityError(f"{remote.page} lacks {entry.file}, which its manifest names")
        if held.bytes != entry.bytes or held.sha256 not in {None, entry.sha256}:
            raise IntegrityError(
                f"{remote.page}: {entry.file} has {held.bytes} bytes, sha256 {held.sha256}; its "
                f"manifest names {entry.bytes} bytes, {entry.sha256}: the zoo was altered or is "
                "half-published, take another revision"
            )


def check_against_listing(path: Path, name: str, remote: Remote, held: HeldFile) -> None:
    """Refuse a file that is not the one that the commit holds.

    Raises:
        IntegrityError: If it is not.
    """
    found, wanted = (
        (blob_of(path), held.blob) if held.sha256 is None else (sha256_of(path), held.sha256)
    )
    if found != wanted:
        raise IntegrityError(
            f"{remote.page}: {name} arrived with hash {found}, it has {wanted} there; it was "
            "altered on the way: try again later, or another network"
        )
