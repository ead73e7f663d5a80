"""A zoo on the Hub, pinned to a commit: its files, and where this machine keeps them."""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import IntegrityError, ZooError
from zoogen.hub.address import COMMIT, HubAddress
from zoogen.hub.client import (
    HeldFile,
    download_small_file,
    git_blob_id,
    holding,
    hub_client,
)
from zoogen.hub.errors import causes, hub_errors
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
        api: The client, with its endpoint and token.
        address: The address that the user gave.
        commit: The commit that the address stands for: 40 hex digits.
        cache: Folder in which zoos are kept.
    """

    api: "HfApi"
    address: HubAddress
    commit: str
    cache: Path

    @property
    def repository(self) -> str:
        """``OWNER/NAME``."""
        return self.address.repository

    @property
    def page(self) -> str:
        """URL of the repository at the commit."""
        return f"{self.api.endpoint}/datasets/{self.repository}/tree/{self.commit}"

    @property
    def folder(self) -> Path:
        """Folder that keeps the files of this commit."""
        return repository_folder(self.address, self.cache) / self.commit


def repository_folder(address: HubAddress, cache: Path) -> Path:
    """Return the folder that keeps everything fetched from a repository."""
    return cache / "hub" / address.repository.replace("/", "--")


def find_remote(
    address: HubAddress,
    *,
    endpoint: str | None = None,
    token: str | None = None,
    cache_dir: Path | None = None,
) -> Remote:
    """Resolve a revision to a commit, once: everything is read at that commit.

    If the Hub cannot be reached, the revision stands for the same commit as last time. If the
    revision is a commit, the Hub is not asked.

    Raises:
        ZooError: If there is no such repository or revision, or the Hub cannot be reached and the
            revision was never resolved before.
    """
    api, cache = hub_client(endpoint, token), cache_dir or cache_folder()
    if address.is_commit:
        return Remote(api=api, address=address, commit=address.revision, cache=cache)
    note = noted_commit(address, cache)
    try:
        with hub_errors(api, address.repository):
            found = api.dataset_info(address.repository, revision=address.revision).sha or ""
    except ZooError as error:
        known = note.read_text(encoding="ascii") if note.is_file() else ""
        if not (is_out_of_reach(error) and COMMIT.fullmatch(known)):
            raise
        log.warning("%s; using the last known commit of %s: %s", error, address, known)
        return Remote(api=api, address=address, commit=known, cache=cache)
    if not COMMIT.fullmatch(found):
        raise IntegrityError(
            f"{api.endpoint} resolves {address} to {found!r}, expected a commit of 40 hex digits; "
            "check HF_ENDPOINT"
        )
    return Remote(api=api, address=address, commit=found, cache=cache)


def noted_commit(address: HubAddress, cache: Path) -> Path:
    """Return the file that notes the last known commit of a revision."""
    name = f"{quote(address.revision, safe='')}.commit"
    return repository_folder(address, cache) / "revisions" / name


def noted_folder(address: HubAddress, cache: Path) -> Path:
    """Return the folder of a revision's last known commit, without asking the Hub.

    Raises:
        ZooError: If the revision was never fetched.
    """
    note, commit = noted_commit(address, cache), address.revision
    if not address.is_commit:
        commit = note.read_text(encoding="ascii") if note.is_file() else ""
    folder = repository_folder(address, cache) / commit
    if not COMMIT.fullmatch(commit) or not (folder / MANIFEST).exists():
        raise ZooError(f"{address} is not in {cache}; run: zoogen fetch {address}")
    return folder


def note_commit(remote: Remote) -> None:
    """Note the commit of a revision, for when the Hub cannot be reached."""
    note = noted_commit(remote.address, remote.cache)
    if not (note.is_file() and note.read_text(encoding="ascii") == remote.commit):
        write_text(note, remote.commit)


def is_out_of_reach(error: ZooError) -> bool:
    """Tell whether the Hub did not answer or failed itself, rather than refused the request."""
    from huggingface_hub.errors import HfHubHTTPError

    answers = [one for one in causes(error) if isinstance(one, HfHubHTTPError)]
    return all(answer.response.status_code >= 500 for answer in answers)


def held_files(remote: Remote) -> dict[str, HeldFile]:
    """List the files of the repository at the commit, with sizes and hashes.

    Raises:
        ZooError: If it is not a zoo, or the Hub cannot be reached.
    """
    with hub_errors(remote.api, remote.repository):
        held = holding(remote.api, remote.repository, remote.commit)
    files = held.files if held else {}
    if MANIFEST not in files:
        raise ZooError(
            f"{remote.page} is not a zoo: it has no {MANIFEST}; check the name and the revision in "
            f"{remote.address}"
        )
    return files


def published_manifest(remote: Remote, files: dict[str, HeldFile]) -> tuple[Manifest, bytes]:
    """Read the manifest at the commit; return it parsed and as bytes.

    Raises:
        ZooError: If it has a newer format version, or the Hub cannot be reached.
        IntegrityError: If it is damaged, or names files in the wrong folder.
    """
    if files[MANIFEST].bytes > LARGEST_MANIFEST:
        raise IntegrityError(
            f"{remote.page}: {MANIFEST} has {files[MANIFEST].bytes} bytes, a manifest has at most "
            f"{LARGEST_MANIFEST}; nothing was fetched"
        )
    with TemporaryDirectory(prefix="zoogen-fetch-") as scratch:
        with hub_errors(remote.api, remote.repository):
            path = download_small_file(
                remote.api, remote.repository, MANIFEST, remote.commit, Path(scratch)
            )
        check_against_listing(path, MANIFEST, remote, files[MANIFEST])
        try:
            manifest = read_manifest(path.parent)
        except ZooError as error:
            said = str(error).replace(str(path), f"{remote.page}: {MANIFEST}")
            raise type(error)(f"{said.rpartition('; ')[0]}; nothing was fetched") from error
        check_names(manifest, remote)
        return manifest, path.read_bytes()


def check_names(manifest: Manifest, remote: Remote) -> None:
    """Refuse a manifest that names a file twice or in the wrong folder.

    Raises:
        IntegrityError: If it does.
    """
    times = Counter(shard.file for shard in manifest.shards)
    wrong = [name for name in times if Path(name).parent.as_posix() != WEIGHTS or times[name] > 1]
    wrong += [manifest.table.file] * (manifest.table.file != TABLE)
    if wrong:
        raise IntegrityError(
            f"{remote.page}: {MANIFEST} names the file {wrong[0]} twice or in the wrong folder; "
            "nothing was fetched"
        )


def check_held(entries: list[FileEntry], files: dict[str, HeldFile], remote: Remote) -> None:
    """Compare the repository's list of files with the manifest, before any file is fetched.

    Raises:
        IntegrityError: At the first file that is missing or differs.
    """
    for entry in entries:
        held = files.get(entry.file)
        if held is None:
            raise IntegrityError(f"{remote.page} lacks {entry.file}, which its manifest names")
        if held.bytes != entry.bytes or held.sha256 not in {None, entry.sha256}:
            raise IntegrityError(
                f"{remote.page}: {entry.file} has {held.bytes} bytes, sha256 {held.sha256}; its "
                f"manifest names {entry.bytes} bytes, {entry.sha256}: the zoo was altered or only "
                "partly published, take another revision"
            )


def check_against_listing(path: Path, name: str, remote: Remote, held: HeldFile) -> None:
    """Refuse a downloaded file whose hash is not the one that the Hub lists.

    Raises:
        IntegrityError: If the hashes differ.
    """
    found, wanted = (
        (git_blob_id(path), held.blob) if held.sha256 is None else (sha256_of(path), held.sha256)
    )
    if found != wanted:
        raise IntegrityError(
            f"{remote.page}: {name} arrived with hash {found}, expected {wanted}; it was altered "
            "on the way: try again later, or on another network"
        )
