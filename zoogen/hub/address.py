"""The address of a zoo on the Hub: ``hub:OWNER/NAME@REVISION``."""

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
"""Most characters of a revision, percent-encoded: it names a file in the cache."""


@dataclass(frozen=True, kw_only=True)
class HubAddress:
    """A data set on the Hub at a branch, a tag, a pull request or a commit.

    Raises:
        ZooError: If the revision is empty or too long.
    """

    repository: str
    revision: str = MAIN

    def __post_init__(self) -> None:
        check_revision(self.revision)

    def __str__(self) -> str:
        return f"{PREFIX}{self.repository}@{self.revision}"

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a commit, which never moves."""
        return COMMIT.fullmatch(self.revision) is not None


def check_revision(revision: str) -> str:
    """Return the revision if it is a possible name of one.

    Raises:
        ZooError: If it is empty, as from an unset variable, or too long.
    """
    if not revision or len(quote(revision, safe="")) > LONGEST:
        raise ZooError(
            f"{revision[:LONGEST]!r} is not a revision; expected a branch, a tag or a commit"
        )
    return revision


def is_address(name: str) -> bool:
    """Tell whether a name is the address of a zoo on the Hub."""
    return name.startswith(PREFIX)


def parse_address(name: str) -> HubAddress:
    """Parse ``hub:OWNER/NAME`` or ``hub:OWNER/NAME@REVISION``.

    Raises:
        ZooError: If it has another form.
    """
    repository, at, revision = name.removeprefix(PREFIX).partition("@")
    if at and not revision:
        raise ZooError(
            f"{name!r} has no revision after the @; expected a branch, a tag or a commit"
        )
    return HubAddress(repository=check_repository(repository), revision=revision or MAIN)


def published_address(name: str) -> HubAddress | None:
    """Return the address of a registered zoo, or None if nobody has set one.

    ``$ZOOGEN_HUB`` is the owner of all registered zoos; without it the registry decides.
    """
    owner = os.environ.get("ZOOGEN_HUB")
    if name in ZOOS and owner:
        return parse_address(f"{PREFIX}{owner}/{name}")
    return parse_address(REPOSITORIES[name]) if name in REPOSITORIES else None


def find_address(zoo: str, revision: str | None = None) -> HubAddress:
    """Return the address of a zoo, given that address or a registered name.

    Raises:
        UnknownNameError: If no zoo of that name is registered.
        ZooError: If the address of the zoo is unknown, or two revisions are given.
    """
    if is_address(zoo):
        found: HubAddress | None = parse_address(zoo)
        if revision is not None and "@" in zoo:
            raise ZooError(f"{zoo} has a revision already; leave out --revision {revision}")
    elif zoo not in ZOOS:
        raise UnknownNameError("zoo", zoo, ZOOS)
    else:
        found = published_address(zoo)
    if found is None:
        raise ZooError(
            f"nobody has said where {zoo} is published; set ZOOGEN_HUB to its owner on the Hub, "
            f"or give its address: hub:OWNER/{zoo}"
        )
    return found if revision is None else replace(found, revision=revision)
