"""The repository to publish to: what it holds, and whether the zoo may go there."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoogen.errors import ZooError
from zoogen.hub.address import COMMIT, MAIN
from zoogen.hub.client import Holding, download_small_file, holding
from zoogen.publish.staging import is_ours
from zoogen.store.card import CARD
from zoogen.store.manifest import MANIFEST, Manifest, read_manifest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PULL = "refs/pr/"
WELCOME = {".gitattributes", ".gitignore", CARD}
"""Files that a repository may hold before its first zoo."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A revision of a repository to publish to.

    Attributes:
        api: The client.
        repository: ``OWNER/NAME``.
        private: Whether the repository must be private.
        revision: Branch or pull request.
        create_pr: Whether to open a pull request.
        scratch: Folder for small files downloaded from the repository.
    """

    api: "HfApi"
    repository: str
    private: bool
    revision: str
    create_pr: bool
    scratch: Path

    @property
    def page(self) -> str:
        """URL of the repository's page."""
        return f"{self.api.endpoint}/datasets/{self.repository}"

    @property
    def owner(self) -> str:
        """User or organisation that owns the repository."""
        return self.repository.partition("/")[0]


def version_tag(manifest: Manifest) -> str:
    """Return the tag of a zoo: the spec's version, and for a partial zoo its number of models."""
    part = "" if manifest.is_complete else f"-{manifest.models_built}-models"
    return f"v{manifest.spec.version}{part}"


def title(manifest: Manifest) -> str:
    """Return the title of the pull request for a version."""
    return f"Publish {manifest.spec.name} {version_tag(manifest)}"


def look_at(target: Target, manifest: Manifest) -> tuple[Holding | None, Target]:
    """Ask what the target holds; continue a pull request that an earlier call opened.

    A branch that does not exist yet will start from main, so the answer is that of main.
    """
    from huggingface_hub.errors import RevisionNotFoundError

    if target.create_pr:
        opened = open_pull(target, manifest)
        if opened is not None:
            target = replace(target, revision=opened, create_pr=False)
    try:
        return holding(target.api, target.repository, target.revision), target
    except RevisionNotFoundError:
        if target.revision.startswith("refs/"):
            raise
        return holding(target.api, target.repository, MAIN), target


def open_pull(target: Target, manifest: Manifest) -> str | None:
    """Return our open pull request for this version, if there is one."""
    from huggingface_hub.errors import RepositoryNotFoundError

    api = target.api
    ours = api.get_repo_discussions(
        target.repository,
        repo_type="dataset",
        author=api.whoami()["name"],
        discussion_type="pull_request",
    )
    try:
        return next(
            (
                f"{PULL}{pull.num}"
                for pull in ours
                if pull.title == title(manifest) and pull.status in {"open", "draft"}
            ),
            None,
        )
    except RepositoryNotFoundError:
        return None


def check_holding(held: Holding | None, target: Target, manifest: Manifest) -> None:
    """Refuse a repository that the zoo must not go to, before anything is sent.

    Raises:
        ZooError: If it holds something else, another zoo or more of this one, has this version with
            other content, is public instead of private, or does not exist to take a pull request;
            or if the revision is not a branch.
    """
    check_branch(held, target)
    if held is None:
        if target.create_pr or target.revision.startswith(PULL):
            raise ZooError(
                f"{target.page}: there is no such data set to send a pull request to; publish "
                "without --create-pr, or check the name"
            )
        return
    if target.private and not held.private:
        raise ZooError(
            f"{target.page} is public; make it private in its settings, or leave out --private"
        )
    check_zoo(held, target, manifest)
    check_tag(held, target, manifest)


def check_branch(held: Holding | None, target: Target) -> None:
    """Refuse a tag or a commit: they never move, see ``check_holding``."""
    tags = set(held.tags) - held.branches if held else set()
    if target.revision in tags or COMMIT.fullmatch(target.revision):
        raise ZooError(
            f"{target.revision} of {target.page} is a tag or a commit, which never moves; name a "
            "branch with --revision, or leave it out"
        )


def check_zoo(held: Holding, target: Target, manifest: Manifest) -> None:
    """Refuse a repository with another zoo or no zoo at all, see ``check_holding``."""
    strange = sorted(file for file in held.files if not is_ours(file) and file not in WELCOME)
    if MANIFEST in held.files:
        there = manifest_at(target, held.commit)
        if there.spec.name != manifest.spec.name:
            raise ZooError(
                f"{target.page} holds the zoo {there.spec.name}, not {manifest.spec.name}; choose "
                "another repository"
            )
        if target.revision == MAIN and not target.create_pr:
            check_order(there, target, manifest)
    elif strange:
        raise ZooError(
            f"{target.page} is not a zoo: it holds {strange[0]}; choose another repository"
        )


def check_order(there: Manifest, target: Target, manifest: Manifest) -> None:
    """Refuse to replace a zoo by an earlier version or by fewer models, see ``check_holding``."""
    held, here = ((one.spec.version, one.models_built) for one in (there, manifest))
    if held > here:
        raise ZooError(
            f"{target.page} holds version {held[0]} with {held[1]} models, yours is version "
            f"{here[0]} with {here[1]}; main never goes back: name a branch with --revision, or "
            "choose another repository"
        )


def check_tag(held: Holding, target: Target, manifest: Manifest) -> None:
    """Refuse to publish a version again with other content, see ``check_holding``."""
    tag, here = version_tag(manifest), manifest.content_sha256
    if tag not in held.tags:
        return
    there = manifest_at(target, held.tags[tag]).content_sha256
    if there != here:
        raise ZooError(
            f"{target.page} has a {tag} already, with content {there[:12]}…, yours is "
            f"{here[:12]}…; a published version is never replaced: raise version in the spec, or "
            "choose another repository"
        )


def manifest_at(target: Target, commit: str) -> Manifest:
    """Read the manifest that a repository holds.

    Raises:
        ZooError: If it cannot be read.
    """
    path = download_small_file(target.api, target.repository, MANIFEST, commit, target.scratch)
    try:
        return read_manifest(path.parent)
    except ZooError as error:
        reason = str(error).partition(": ")[2].rpartition("; ")[0]  # without its way out
        raise ZooError(
            f"{target.repository} holds a {MANIFEST} that cannot be read ({reason}); choose "
            "another repository, or delete it there"
        ) from error


def prepare(target: Target, held: Holding | None, manifest: Manifest) -> Target:
    """Create the repository, the branch or the pull request if it is missing."""
    api, name = target.api, target.repository
    if held is None:
        api.create_repo(name, repo_type="dataset", private=target.private or None, exist_ok=True)
    if target.create_pr:
        pull = api.create_pull_request(name, title=title(manifest), repo_type="dataset")
        return replace(target, revision=f"{PULL}{pull.num}", create_pr=False)
    known = {MAIN} if held is None else held.branches
    if target.revision not in known and not target.revision.startswith("refs/"):
        api.create_branch(name, branch=target.revision, repo_type="dataset", exist_ok=True)
    return target
