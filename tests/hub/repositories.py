"""Accounts, repositories, branches, tags and pull requests of the Hub."""

from typing import Any

from tests.hub.call import PULL, Call, RefusedError, Reply
from tests.hub.store import Repository, StoredFile, new_repository

DATE = "2026-01-01T00:00:00.000Z"


def whoami(call: Call) -> Reply:
    account = call.account
    if account is None:
        raise RefusedError(401, "", "Invalid username or password.")
    return Reply(
        {
            "type": "user",
            "id": "0",
            "name": account.user,
            "orgs": [{"type": "org", "name": name} for name in account.organisations],
            "auth": {"accessToken": {"role": "write" if account.write else "read"}},
        }
    )


def page_url(call: Call, kind: str, name: str) -> str:
    """Return the URL of a repository's page."""
    return "/".join([call.hub.url, *([] if kind == "models" else [kind]), name])


def create(call: Call) -> Reply:
    asked = call.json
    kind = asked.get("type", "model") + "s"
    owner = asked.get("organization") or (call.account.user if call.account else "")
    name = f"{owner}/{asked['name']}"
    call.may_write(owner)
    url = page_url(call, kind, name)
    if (kind, name) in call.hub.repositories:
        return Reply({"error": "You already created this repo", "url": url}, 409)
    private = asked.get("visibility") == "private" or asked.get("private") is True
    call.hub.repositories[kind, name] = new_repository(kind, name, private=private)
    return Reply({"url": url, "name": name})


def delete(call: Call) -> Reply:
    asked = call.json
    name = f"{asked.get('organization')}/{asked['name']}"
    call.may_write(asked.get("organization", ""))
    call.hub.repositories.pop((asked.get("type", "model") + "s", name), None)
    return Reply()


def may_read(call: Call) -> Reply:
    call.repository()
    return Reply()


def info(call: Call) -> Reply:
    repository = call.repository()
    return Reply(
        {
            "_id": "0" * 24,
            "id": repository.name,
            "author": repository.owner,
            "sha": call.commit_name(),
            "private": repository.private,
            "gated": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "createdAt": DATE,
            "lastModified": DATE,
            "siblings": [sibling(*entry) for entry in sorted(call.commit().tree.items())],
        }
    )


def sibling(path: str, file: StoredFile) -> dict[str, Any]:
    large = {"lfs": {"size": file.size, "sha256": file.sha256, "pointerSize": 134}}
    fields = {"rfilename": path, "size": file.size, "blobId": file.oid}
    return fields | (large if file.sha256 else {})


def refs(call: Call) -> Reply:
    repository = call.repository()
    pulls = {name: commit for name, commit in repository.heads.items() if name.startswith("refs/")}
    branches = {name: at for name, at in repository.heads.items() if name not in pulls}

    def listed(kind: str, names: dict[str, str]) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": name if kind == "pr" else f"refs/{kind}/{name}"}
            | {"targetCommit": commit}
            for name, commit in names.items()
        ]

    body = {"converts": [], "branches": listed("heads", branches)}
    body["tags"] = listed("tags", repository.tags)
    if call.query.get("include_prs"):
        body["pullRequests"] = listed("pr", pulls)
    return Reply(body)


def history(call: Call) -> Reply:
    repository = call.repository()
    author = {"user": repository.owner}
    return Reply(
        [
            {"id": name, "title": repository.commits[name].title, "message": "", "date": DATE}
            | {"authors": [author]}
            for name in repository.history(call.commit_name())
        ]
    )


def create_branch(call: Call) -> Reply:
    repository = call.repository_to_write()
    if call.parts["name"] in repository.heads:
        raise RefusedError(409, "Conflict", "Reference already exists")
    start = call.json.get("startingPoint", "main")
    commit = repository.resolve(start)
    if commit is None:
        raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {start}")
    repository.heads[call.parts["name"]] = commit
    return Reply()


def create_tag(call: Call) -> Reply:
    repository, tag = call.repository_to_write(), call.json["tag"]
    if tag in repository.tags:
        raise RefusedError(409, "Conflict", "Tag reference exists already")
    repository.tags[tag] = call.commit_name()
    return Reply()


def delete_tag(call: Call) -> Reply:
    repository = call.repository_to_write()
    if repository.tags.pop(call.parts["revision"], None) is None:
        raise RefusedError(404, "RevisionNotFound", "There is no such tag")
    return Reply()


def discussion(repository: Repository, number: int) -> dict[str, Any]:
    return {
        "num": number,
        "title": repository.pulls[number - 1],
        "author": {"name": repository.owner},
        "createdAt": DATE,
        "status": "draft",
        "isPullRequest": True,
        "repo": {"name": repository.name, "type": repository.kind.removesuffix("s")},
        "events": [],
        "changes": {"base": "refs/heads/main"},
        "filesWithConflicts": [],
        "diff": "",
    }


def discussions(call: Call) -> Reply:
    repository = call.repository()
    listed = [discussion(repository, number + 1) for number in range(len(repository.pulls))]
    return Reply({"count": len(listed), "start": 0, "discussions": listed})


def open_pull(call: Call) -> Reply:
    return Reply({"num": call.repository_to_write(PULL).open_pull(call.json["title"])})


def one_discussion(call: Call) -> Reply:
    return Reply(discussion(call.repository(), int(call.parts["number"])))
