"""The storage of a Hub: repositories of commits, each with a complete tree of files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha1, sha256
from pathlib import Path

LARGE_SUFFIXES = {".safetensors", ".parquet", ".png", ".npy", ".bin"}
LARGE_BYTES = 10_000_000
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"


def git_oid(content: bytes) -> str:
    """Return the id that git gives a blob."""
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a commit.

    ``content`` is what is served, the other fields are what is listed; they differ only if a test
    alters the file.
    """

    content: bytes
    oid: str
    size: int
    sha256: str | None = None
    xet: str | None = None

    @property
    def etag(self) -> str:
        """Identifier of the content, by which a client knows whether it has the file."""
        return self.sha256 or self.oid


def regular_file(content: bytes) -> StoredFile:
    """Return a file that is stored in git itself."""
    return StoredFile(content=content, oid=git_oid(content), size=len(content))


def pointer_of(oid: str, size: int) -> bytes:
    """Return the pointer that git stores for a large file."""
    return POINTER.format(oid=oid, size=size).encode()


def large_file(content: bytes) -> StoredFile:
    """Return a file in the large file storage, to which git has a pointer."""
    oid = sha256(content).hexdigest()
    pointer = pointer_of(oid, len(content))
    return StoredFile(content=content, oid=git_oid(pointer), size=len(content), sha256=oid)


def is_large(path: str, size: int) -> bool:
    """Tell whether the Hub treats a file as large, by its name and size."""
    return size > 0 and (Path(path).suffix in LARGE_SUFFIXES or size > LARGE_BYTES)


def stored_file(path: str, content: bytes) -> StoredFile:
    """Return a file as the Hub would store it."""
    return large_file(content) if is_large(path, len(content)) else regular_file(content)


Tree = dict[str, StoredFile]


@dataclass(frozen=True)
class Commit:
    """One state of a repository."""

    tree: Tree
    title: str
    parent: str | None


@dataclass(kw_only=True)
class Repository:
    """A repository; its ``heads`` are branches and pull requests, which move with every commit."""

    kind: str
    name: str
    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str:
        """User or organisation that owns the repository."""
        return self.name.partition("/")[0]

    def resolve(self, revision: str) -> str | None:
        """Find the commit of a branch, a tag, a pull request or a hash, full or abbreviated."""
        named = self.heads.get(revision) or self.tags.get(revision) or revision
        if named in self.commits:
            return named
        hits = [commit for commit in self.commits if len(named) >= 7 and commit.startswith(named)]
        return hits[0] if len(hits) == 1 else None

    def commit(self, tree: Tree, title: str, head: str = "main") -> str:
        """Add a commit and move the head to it; return its hash."""
        parent = self.heads.get(head)
        files = sorted((path, file.oid) for path, file in tree.items())
        name = sha1(repr((len(self.commits), parent, title, files)).encode()).hexdigest()
        self.commits[name] = Commit(tree, title, parent)
        self.heads[head] = name
        return name

    def open_pull(self, title: str) -> int:
        """Open a pull request on ``main``; return its number."""
        self.pulls.append(title)
        self.heads[f"refs/pr/{len(self.pulls)}"] = self.heads["main"]
        return len(self.pulls)

    def history(self, revision: str) -> list[str]:
        """Return the commits that led to a revision, newest first."""
        names, name = [], self.resolve(revision)
        while name:
            names.append(name)
            name = self.commits[name].parent
        return names

    def tree(self, revision: str = "main") -> Tree:
        """Return the files of an existing revision."""
        name = self.resolve(revision)
        assert name is not None, f"{self.name} has no {revision}"
        return self.commits[name].tree

    def contents(self, revision: str = "main") -> dict[str, bytes]:
        """Return the bytes of every file of a revision."""
        return {path: file.content for path, file in self.tree(revision).items()}

    def alter(self, path: str, content: bytes, revision: str = "main") -> None:
        """Alter a file: serve other bytes under the old hashes."""
        tree = self.tree(revision)
        tree[path] = replace(tree[path], content=content)

    def put(self, files: Mapping[str, bytes], title: str = "put", head: str = "main") -> str:
        """Commit more files, as another client would."""
        stored = {path: stored_file(path, content) for path, content in files.items()}
        return self.commit({**self.tree(head), **stored}, title, head)


def new_repository(kind: str, name: str, *, private: bool = False) -> Repository:
    """Return a new repository, which has only ``.gitattributes`` as on the Hub."""
    repository = Repository(kind=kind, name=name, private=private)
    lines = (f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LARGE_SUFFIXES)
    attributes = regular_file("".join(sorted(lines)).encode())
    repository.commit({".gitattributes": attributes}, "initial commit")
    return repository
