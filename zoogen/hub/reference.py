"""Where a zoo is on the Hub: ``hub:OWNER/NAME@REVISION``, or by the name of a registered zoo."""

import os
import re
from dataclasses import dataclass, replace
from urllib.parse import quote

from zoogen.errors import UnknownNameError, ZooError
from zoogen.hub.client import check_repository
from zoogen.spec.registry import REPOSITORIES, ZOOS

PREFIX = "hub:"
MAIN = "main"
COMMIT = re.compile(r"[0-9a-f]{40}")
LONGEST = 200
"""Letters of a revision: it is the name of a file in the cache."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A data set of the Hub at a branch, a tag, a pull request or a commit.

    Raises:
        ZooError: If the revision is empty or longer than any.
    """

    repository: str
    revision: str = MAIN

    def __post_init__(self) -> None:
        check_revision(self.revision)

    def __str__(self) -> str:
        return f"{PREFIX}{self.repository}@{self.revision}"

    @property
    def is_commit(self) -> bool:
        """Whether the revision can never mean anything else."""
        return COMMIT.fullmatch(self.revision) is not None


def check_revision(revision: str) -> str:
    """Return the name of a revision if it can be one.

    Raises:
        ZooError: If it is empty, as an unset variable is, or longer than any.
    """
    if not revision or len(quote(revision, safe="")) > LONGEST:
        raise ZooError(
            f"{revision[:LONGEST]!r} names no revision: expected a branch, a tag or a commit"
        )
    return revision


def is_reference(name: str) -> bool:
    """Tell whether a name says that the zoo is on the Hub."""
    return name.startswith(PREFIX)


def parse_reference(name: str) -> Reference:
    """Read ``hub:OWNER/NAME`` or ``hub:OWNER/NAME@REVISION``.

    Raises:
        ZooError: If it is not of that form.
    """
    repository, at, revision = name.removeprefix(PREFIX).partition("@")
    if at and not revision:
        raise ZooError(f"{name!r} names no revision after the @: a branch, a tag or a commit")
    return Reference(repository=check_repository(repository), revision=revision or MAIN)


def published(name: str) -> Reference | None:
    """Return where a registered zoo is published, as far as anybody has said.

    ``$ZOOGEN_HUB`` is the owner of all of them; without it the registry is asked.
    """
    owner = os.environ.get("ZOOGEN_HUB")
    if name in ZOOS and owner:
        return parse_reference(f"{PREFIX}{owner}/{name}")
    return parse_reference(REPOSITORIES[name]) if name in REPOSITORIES else None


def find_reference(zoo: str, revision: str | None = None) -> Reference:
    """Return where to fetch a zoo from, by its reference or its registered name.

    Raises:
        UnknownNameError: If no zoo of that name is registered.
        ZooError: If it is not said where the zoo is published, or two revisions are named.
    """
    if is_reference(zoo):
        found: Reference | None = parse_reference(zoo)
        if revision is not None and "@" in zoo:
            raise ZooError(f"{zoo} names a revision already: leave out --revision {revision}")
    elif zoo not in ZOOS:
        raise UnknownNameError("zoo", zoo, ZOOS)
    else:
        found = published(zoo)
    if found is None:
        raise ZooError(
            f"{zoo} is published nowhere that is known here; set ZOOGEN_HUB to the owner of "
            f"OWNER/{zoo} on the Hub, or name it: hub:OWNER/{zoo}"
        )
    return found if revision is None else replace(found, revision=revision)
