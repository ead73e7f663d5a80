"""A request to the Hub, the reply to it, and the rights of its sender."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.hub.store import Commit, Repository

if TYPE_CHECKING:
    from tests.hub.server import Hub


PULL = "refs/pr/"


@dataclass(frozen=True)
class Account:
    """The user of a token, and whether the token may write."""

    user: str
    organisations: tuple[str, ...] = ()
    write: bool = True

    def owns(self, namespace: str) -> bool:
        """Tell whether repositories in a namespace belong to the user."""
        return namespace in {self.user, *self.organisations}


@dataclass(frozen=True)
class Reply:
    """The answer to a request: bytes are sent as they are, anything else as JSON."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class RefusedError(Exception):
    """The refusal of a request, with an error in the Hub's words."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(status, code, message)
        words = {"X-Error-Code": code, "X-Error-Message": message, **headers}
        self.reply = Reply({"error": message}, status, {k: v for k, v in words.items() if v})


@dataclass(frozen=True, kw_only=True)
class Call:
    """A complete request, with the parts of its path by name."""

    hub: "Hub"
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    token: str | None
    parts: dict[str, str]

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body or b"{}")

    @property
    def account(self) -> Account | None:
        """The account that sent the request; None without a token.

        Raises:
            RefusedError: If this Hub does not know the token.
        """
        if self.token is None:
            return None
        if self.token not in self.hub.tokens:
            raise RefusedError(401, "", "Invalid credentials in Authorization header")
        return self.hub.tokens[self.token]

    @property
    def kind(self) -> str:
        """The kind of the requested repository; by default ``models``."""
        return self.parts.get("kind") or "models"

    def repository(self) -> Repository:
        """Return the requested repository.

        Raises:
            RefusedError: If there is none, or the account may not see it.
        """
        account = self.account
        found = self.hub.repositories.get((self.kind, self.parts["repo"]))
        hidden = found and found.private and not (account and account.owns(found.owner))
        if found is None or hidden:
            raise RefusedError(404 if account else 401, "RepoNotFound", "Repository not found")
        return found

    def commit_name(self) -> str:
        """Return the hash of the requested commit.

        Raises:
            RefusedError: If the repository has no such revision.
        """
        revision = self.parts.get("revision", "main")
        name = self.repository().resolve(revision)
        if name is None:
            raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return name

    def commit(self) -> Commit:
        """Return the requested commit."""
        return self.repository().commits[self.commit_name()]

    def repository_to_write(self, head: str = "") -> Repository:
        """Return the requested repository if the account may write to its ``head``.

        Everybody who can see a repository may send it a pull request.

        Raises:
            RefusedError: If the account may not write.
        """
        repository = self.repository()
        account = self.account
        self.may_write(account.user if account and head.startswith(PULL) else repository.owner)
        return repository

    def may_write(self, namespace: str) -> Account:
        """Return the account if it may write to repositories in ``namespace``.

        Raises:
            RefusedError: If it may not.
        """
        account = self.account
        if account is None:
            raise RefusedError(401, "", "Invalid username or password.")
        if not account.write:
            raise RefusedError(403, "", "This token has no write access; use one that has")
        if not account.owns(namespace):
            raise RefusedError(403, "", f"You have no rights to write under {namespace}")
        return account
