"""A zoo to the Hugging Face Hub: files first, the manifest last, then proof, then a tag."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import IntegrityError, ZooError
from zoogen.hub.client import (
    HeldFile,
    Holding,
    bars_where_watched,
    check_repository,
    holding,
    hub_client,
    read_back,
)
from zoogen.hub.errors import AGAIN, hub_errors
from zoogen.hub.reference import MAIN, check_revision
from zoogen.load.locate import find_folder
from zoogen.load.zoo import Zoo, load_zoo
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

FORBIDDEN = "take one with write access, or send the zoo as a pull request: --create-pr"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What was published, or would be.

    Attributes:
        page: Address of the repository.
        revision: The branch or pull request it went to.
        commit: The commit that holds it; None if there is none yet.
        tag: Its name among the versions; None unless it is on the main branch.
        files: Every file, and what sending it meant.
    """

    page: str
    revision: str
    commit: str | None
    tag: str | None
    files: tuple[PlannedFile, ...]

    @property
    def sent(self) -> tuple[PlannedFile, ...]:
        """The files that were not there, or not like this."""
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

    Called again it sends what is missing, or nothing. The zoo's own folder is only read.

    Args:
        zoo: A registered name, or the folder of a built zoo.
        repository: ``OWNER/NAME``; made if it is not there.
        private: Make it a private one.
        revision: Branch to publish to, made if it is not there; by default ``main``.
        create_pr: Send a pull request instead, to a repository that is there.
        dry_run: Only say what would be sent.
        endpoint: Address of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: By default ``$HF_TOKEN`` or that of ``hf auth login``.
        cache_dir: Where zoos are kept; by default ``$ZOOGEN_CACHE`` or ``~/.cache/zoogen``.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
        IntegrityError: If a file of the zoo is damaged, or the Hub holds another than was sent.
        ZooError: If the zoo is not built, the Hub cannot be reached or refuses, or the repository
            holds something else.
    """
    if create_pr and revision is not None:
        raise ZooError("a pull request goes to main: leave out either --revision or --create-pr")
    check_repository(repository)
    branch = MAIN if revision is None else check_revision(revision)
    api = hub_client(endpoint, token)
    built = proved(find_folder(zoo, cache_dir))
    with TemporaryDirectory(prefix="zoogen-publish-") as scratch:
        target = Target(
            api=api,
            repository=repository,
            private=private,
            revision=branch,
            create_pr=create_pr,
            scratch=Path(scratch) / "read-back",
        )
        return publish_staged(built, Path(scratch) / "zoo", target, dry_run=dry_run)


def proved(folder: Path) -> Zoo:
    """Hash every file of a zoo and load it: no damaged one is to be published."""
    manifest = read_manifest(folder)
    files = 1 + len(manifest.shards)
    with progress_bar("check", things="files", total=files, unit="files") as report:
        for _ in verify_files(folder, manifest):
            report(1)
    return load_zoo(folder)


def publish_staged(zoo: Zoo, stage: Path, target: Target, *, dry_run: bool) -> Publication:
    """Plan, send, prove and tag; see ``publish_zoo``."""
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
    with hub_errors(api, target.repository, forbidden=FORBIDDEN), bars_where_watched():
        if publication.sent:
            target = prepare(target, held, manifest)
        commit = send(stage, target, held, plan) or publication.commit
        assert commit is not None, "a repository has a commit once something was sent"
        prove(stage, target, commit, manifest)
        if publication.tag and not (held and tag in held.tags):
            api.create_tag(target.repository, tag=tag, revision=commit, repo_type="dataset")
    return replace(publication, commit=commit, revision=target.revision)


def croissant_there(target: Target, held: Holding | None) -> str:
    """Return the description that the repository holds, or nothing."""
    if held is None or CROISSANT not in held.files:
        return ""
    path = read_back(target.api, target.repository, CROISSANT, held.commit, target.scratch)
    return path.read_text(encoding="utf-8", errors="replace")


def stage_croissant(zoo: Zoo, stage: Path, target: Target, there: str) -> None:
    """Describe the zoo; the same rows keep the day on which they were published first.

    Raises:
        ZooError: If nobody could load the table by what is new in the description.
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
    """Send what is not there, the manifest by itself at the end.

    Before shards or the table are replaced, the manifest of those that were there is taken away:
    what an upload that is cut leaves behind is no zoo.

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


def prove(stage: Path, target: Target, commit: str, manifest: Manifest) -> None:
    """Hold what the repository has at a commit against manifest and stage.

    A shard is not hashed here once more: it may have changed since it was found whole.

    Raises:
        IntegrityError: At the first file that is missing or differs.
    """
    held = holding(target.api, target.repository, commit)
    files = staged_files(stage)
    with progress_bar("prove", things="files", total=len(files), unit="files") as report:
        for name in files:
            there = held.files.get(name) if held else None
            prove_file(name, known_sha256(stage, name, manifest), target, commit, there)
            report(1)


def prove_file(name: str, wanted: str, target: Target, commit: str, there: HeldFile | None) -> None:
    """Compare one file: by the hash that the Hub names, or, where it names none, by its bytes."""
    if there is None:
        raise IntegrityError(f"{target.page} has no {name} at {commit}; {AGAIN}")
    found = there.sha256
    if found is None:
        found = sha256_of(read_back(target.api, target.repository, name, commit, target.scratch))
    if found != wanted:
        raise IntegrityError(
            f"{target.page}: {name} has sha256 {found} there, {wanted} here; it was altered on the "
            f"way or since, and this version has no tag: {AGAIN}"
        )
