"""Publish a zoo on the Hub: files first, the manifest last, then verify, then tag."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import IntegrityError, ZooError
from zoogen.hub.address import MAIN, check_revision
from zoogen.hub.client import (
    HeldFile,
    Holding,
    bars_on_terminal_only,
    check_repository,
    download_small_file,
    holding,
    hub_client,
)
from zoogen.hub.errors import AGAIN, hub_errors
from zoogen.load.locate import find_folder
from zoogen.load.open import load_zoo
from zoogen.load.zoo import Zoo
from zoogen.progress import progress_bar
from zoogen.publish.staging import (
    PlannedFile,
    compare,
    is_weights,
    known_sha256,
    stage_card,
    stage_files,
    staged_files,
)
from zoogen.publish.target import Target, check_holding, look_at, prepare, version_tag
from zoogen.store.croissant import CROISSANT, check_croissant, croissant_json, first_published
from zoogen.store.manifest import MANIFEST, TABLE, Manifest, read_manifest, verify_files

FORBIDDEN = "use one with write access, or send the zoo as a pull request: --create-pr"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A published zoo, or the plan to publish one.

    Attributes:
        page: URL of the repository.
        revision: Branch or pull request that the zoo went to.
        commit: Commit that holds the zoo; None if there is none yet.
        tag: Tag of the version; None unless it is on the main branch.
        files: Every file, and its change in the repository.
    """

    page: str
    revision: str
    commit: str | None
    tag: str | None
    files: tuple[PlannedFile, ...]

    @property
    def sent(self) -> tuple[PlannedFile, ...]:
        """The files that were new, changed or deleted."""
        return tuple(file for file in self.files if file.change != "same")


def publish_zoo(  # noqa: PLR0913, each is an option of the command or of the Hub
    zoo: str | Path,
    repository: str,
    *,
    private: bool = False,
    revision: str | None = None,
    create_pr: bool = False,
    dry_run: bool = False,
    endpoint: str | None = None,
    token: str | None = None,
    cache_dir: Path | None = None,
) -> Publication:
    """Publish a built zoo as a data set of the Hugging Face Hub.

    A second call sends only what is missing. The zoo's own folder is only read.

    Args:
        zoo: A registered name, or the folder of a built zoo.
        repository: ``OWNER/NAME``; created if it does not exist.
        private: Whether the repository must be private.
        revision: Branch to publish to, created if it does not exist; by default ``main``.
        create_pr: Whether to send a pull request, to a repository that exists.
        dry_run: Whether only to plan, and send nothing.
        endpoint: URL of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: Access token; by default ``$HF_TOKEN`` or that of ``hf auth login``.
        cache_dir: Where zoos are kept; by default ``$ZOOGEN_CACHE`` or ``~/.cache/zoogen``.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
        IntegrityError: If a file of the zoo is damaged, or differs on the Hub once it was sent.
        ZooError: If the zoo is not built, the Hub cannot be reached or refuses, or the repository
            holds something else.

    Example:
        >>> import zoogen
        >>> publication = zoogen.publish_zoo("few", "me/few-tetris")
        >>> publication.tag
        'v2-8-models'
    """
    if create_pr and revision is not None:
        raise ZooError("a pull request goes to main; leave out either --revision or --create-pr")
    check_repository(repository)
    branch = MAIN if revision is None else check_revision(revision)
    api = hub_client(endpoint, token)
    built = load_verified(find_folder(zoo, cache_dir))
    with TemporaryDirectory(prefix="zoogen-publish-") as scratch:
        target = Target(
            api=api,
            repository=repository,
            private=private,
            revision=branch,
            create_pr=create_pr,
            scratch=Path(scratch) / "downloads",
        )
        return publish_staged(built, Path(scratch) / "zoo", target, dry_run=dry_run)


def load_verified(folder: Path) -> Zoo:
    """Hash every file of a zoo, then load it."""
    manifest = read_manifest(folder)
    files = 1 + len(manifest.shards)
    with progress_bar("check", things="files", total=files, unit="files") as report:
        for _ in verify_files(folder, manifest):
            report(1)
    return load_zoo(folder)


def publish_staged(zoo: Zoo, stage: Path, target: Target, *, dry_run: bool) -> Publication:
    """Plan, send, verify and tag; see ``publish_zoo``."""
    api, manifest, tag = target.api, zoo.manifest, version_tag(zoo.manifest)
    with hub_errors(api, target.repository, forbidden=FORBIDDEN):
        held, target = look_at(target, manifest)
        check_holding(held, target, manifest)
        described = croissant_there(target, held)
    stage_files(zoo, stage)
    stage_card(zoo, stage, f"hub:{target.repository}@{tag}")
    stage_croissant(zoo, stage, target, described)
    plan = compare(stage, manifest, held.files if held else {})
    publication = Publication(
        page=target.page,
        revision=target.revision,
        commit=held.commit if held else None,
        tag=tag if target.revision == MAIN and not target.create_pr else None,
        files=tuple(plan),
    )
    if dry_run:
        return publication
    with hub_errors(api, target.repository, forbidden=FORBIDDEN), bars_on_terminal_only():
        if publication.sent:
            target = prepare(target, held, manifest)
        commit = send(stage, target, held, plan) or publication.commit
        assert commit is not None, "a repository has a commit once something was sent"
        verify_published(stage, target, commit, manifest)
        if publication.tag and not (held and tag in held.tags):
            api.create_tag(target.repository, tag=tag, revision=commit, repo_type="dataset")
    return replace(publication, commit=commit, revision=target.revision)


def croissant_there(target: Target, held: Holding | None) -> str:
    """Return the Croissant description in the repository; empty if there is none."""
    if held is None or CROISSANT not in held.files:
        return ""
    path = download_small_file(
        target.api, target.repository, CROISSANT, held.commit, target.scratch
    )
    return path.read_text(encoding="utf-8", errors="replace")


def stage_croissant(zoo: Zoo, stage: Path, target: Target, there: str) -> None:
    """Write the Croissant description; the same rows keep their first day of publication.

    Args:
        zoo: The zoo to describe.
        stage: Folder of the files to publish.
        target: Repository to publish to.
        there: The description in the repository; empty if there is none.

    Raises:
        ZooError: If a new description cannot load the table.
    """
    today = datetime.now(UTC).date()
    text = croissant_json(
        zoo.manifest,
        stage,
        page=target.page,
        tag=version_tag(zoo.manifest),
        owner=target.owner,
        published=first_published(there, zoo.manifest) or today,
    )
    write_text(stage / CROISSANT, text)
    if text != there:
        check_croissant(stage / CROISSANT)


def send(
    stage: Path, target: Target, held: Holding | None, plan: Sequence[PlannedFile]
) -> str | None:
    """Send new and changed files, then the manifest in a commit of its own.

    If shards or the table change, the first commit also deletes the old manifest: an interrupted
    upload then leaves nothing that looks like a zoo.

    Returns:
        The last commit, or None if there was nothing to send.
    """
    api, tag = target.api, version_tag(read_manifest(stage))
    changes = {file.file: file.change for file in plan if file.change != "same"}
    others = {name for name in changes if name != MANIFEST}
    gone = [name for name in others if changes[name] == "gone"]
    there = held is not None and MANIFEST in held.files
    withdrawn = there and any(name == TABLE or is_weights(name) for name in others)
    commit = None
    if others:
        commit = api.upload_folder(
            repo_id=target.repository,
            repo_type="dataset",
            revision=target.revision,
            folder_path=stage,
            ignore_patterns=[MANIFEST],
            delete_patterns=[escape(name) for name in (*gone, *[MANIFEST] * withdrawn)] or None,
            commit_message=f"{tag}: shards, table and card",
            parent_commit=held.commit if held else None,
        ).oid
    if withdrawn or MANIFEST in changes:
        commit = api.upload_folder(
            repo_id=target.repository,
            repo_type="dataset",
            revision=target.revision,
            folder_path=stage,
            allow_patterns=[MANIFEST],
            commit_message=f"{tag}: manifest, the zoo is complete",
        ).oid
    return commit


def verify_published(stage: Path, target: Target, commit: str, manifest: Manifest) -> None:
    """Compare the repository at a commit with manifest and stage.

    A shard is compared with its hash in the manifest: the local file may have changed by now.

    Raises:
        IntegrityError: At the first file that is missing or differs.
    """
    held = holding(target.api, target.repository, commit)
    files = staged_files(stage)
    with progress_bar("verify", things="files", total=len(files), unit="files") as report:
        for name in files:
            there = held.files.get(name) if held else None
            wanted = known_sha256(stage, name, manifest)
            verify_published_file(name, wanted, target, commit, there)
            report(1)


def verify_published_file(
    name: str, wanted: str, target: Target, commit: str, there: HeldFile | None
) -> None:
    """Compare a file's hash with the one that the Hub lists, or with that of its download."""
    if there is None:
        raise IntegrityError(f"{target.page} has no {name} at {commit}; {AGAIN}")
    found = there.sha256
    if found is None:
        download = download_small_file(target.api, target.repository, name, commit, target.scratch)
        found = sha256_of(download)
    if found != wanted:
        raise IntegrityError(
            f"{target.page}: {name} has sha256 {found} there, {wanted} here; it was altered on the "
            f"way or since, and this version has no tag: {AGAIN}"
        )
