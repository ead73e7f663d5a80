"""The upload of files to the Hub: preupload, large file storage, commit."""

import json
from base64 import b64decode
from hashlib import sha256
from typing import Any

from tests.hub.call import Call, RefusedError, Reply
from tests.hub.repositories import page_url
from tests.hub.store import Repository, StoredFile, Tree, is_large, large_file, regular_file
from tests.hub.xet import chunked_file


def validate_yaml(call: Call) -> Reply:
    return Reply({"errors": [], "warnings": []})


def preupload(call: Call) -> Reply:
    """Return how each file must be uploaded, and which content the Hub has under its name."""
    call.repository_to_write(call.parts["revision"])
    there = call.commit().tree
    return Reply(
        {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if is_large(file["path"], file["size"]) else "regular",
                    "shouldIgnore": False,
                    "oid": there[file["path"]].etag if file["path"] in there else None,
                }
                for file in call.json["files"]
            ]
        }
    )


def batch(call: Call) -> Reply:
    """Return where to upload each large file; nothing for a file that is stored already."""
    asked = call.json
    call.repository_to_write(asked.get("ref", {}).get("name", ""))
    in_parts = call.hub.part_bytes is not None and "multipart" in asked["transfers"]
    objects = [
        {"oid": one["oid"], "size": one["size"]}
        | ({} if one["oid"] in call.hub.objects else {"actions": actions(call, one, in_parts)})
        for one in asked["objects"]
    ]
    return Reply({"transfer": "multipart" if in_parts else "basic", "objects": objects})


def actions(call: Call, one: dict[str, Any], in_parts: bool) -> dict[str, Any]:
    oid, url = one["oid"], call.hub.url
    verify = {"verify": {"href": f"{url}/storage/objects/{oid}/verify"}}
    size = call.hub.part_bytes
    if not in_parts or size is None:
        return {"upload": {"href": f"{url}/storage/objects/{oid}"}} | verify
    count = -(-one["size"] // size)
    parts = {f"{part:05d}": f"{url}/storage/parts/{oid}/{part}" for part in range(1, count + 1)}
    header = {"chunk_size": str(size)} | parts
    return {"upload": {"href": f"{url}/storage/parts/{oid}", "header": header}} | verify


def put_object(call: Call) -> Reply:
    return keep(call, call.body)


def keep(call: Call, content: bytes) -> Reply:
    """Keep a large file if its hash is right."""
    if sha256(content).hexdigest() != call.parts["oid"]:
        raise RefusedError(400, "BadDigest", "the content is not that of this hash")
    call.hub.objects[call.parts["oid"]] = content
    return Reply(b"")


def put_part(call: Call) -> Reply:
    part = call.parts["oid"], int(call.parts["part"])
    call.hub.uploaded_parts[part] = call.body
    return Reply(b"", headers={"ETag": f'"{sha256(call.body).hexdigest()}"'})


def join_parts(call: Call) -> Reply:
    oid = call.parts["oid"]
    numbers = [part["partNumber"] for part in call.json["parts"]]
    return keep(call, b"".join(call.hub.uploaded_parts.pop((oid, part)) for part in numbers))


def verify_object(call: Call) -> Reply:
    found = call.hub.objects.get(call.parts["oid"])
    if found is None or len(found) != call.json["size"]:
        raise RefusedError(404, "ObjectNotFound", "there is no such object")
    return Reply()


def commit(call: Call) -> Reply:
    """Commit the operations in the body, one per line."""
    repository = call.repository_to_write(call.parts["revision"])
    lines = [json.loads(line) for line in call.body.splitlines() if line.strip()]
    (header,) = (line["value"] for line in lines if line["key"] == "header")
    parent = header.get("parentCommit")
    if parent and not call.commit_name().startswith(parent):
        raise RefusedError(
            412, "PreconditionFailed", "A commit has happened since. Please try again."
        )
    tree = dict(call.commit().tree)
    for line in lines:
        change(call, tree, line["key"], line["value"])
    head, number = head_to_move(call, repository, header["summary"])
    name = repository.commit(tree, header["summary"], head)
    page = page_url(call, call.kind, repository.name)
    return Reply(
        {
            "success": True,
            "commitOid": name,
            "commitUrl": f"{page}/commit/{name}",
            "hookOutput": "",
            "pullRequestUrl": f"{page}/discussions/{number}" if number else None,
        }
    )


def head_to_move(call: Call, repository: Repository, title: str) -> tuple[str, int | None]:
    """Return the head that gets the commit, and the number of a pull request opened for it."""
    if call.query.get("create_pr"):
        number = repository.open_pull(title)
        return f"refs/pr/{number}", number
    if call.parts["revision"] not in repository.heads:
        raise RefusedError(400, "BadRequest", f"{call.parts['revision']} is not a branch")
    return call.parts["revision"], None


def change(call: Call, tree: Tree, operation: str, value: dict[str, Any]) -> None:
    """Apply one operation of a commit to its tree."""
    match operation:
        case "file":
            tree[value["path"]] = regular_file(b64decode(value["content"]))
        case "lfsFile":
            tree[value["path"]] = uploaded(call, value["oid"], value["size"])
        case "deletedFile":
            tree.pop(value["path"], None)
        case "deletedFolder":
            below = value["path"].rstrip("/") + "/"
            for path in [path for path in tree if path.startswith(below)]:
                del tree[path]


def uploaded(call: Call, oid: str, size: int) -> StoredFile:
    """Return a large file that was uploaded before its commit.

    Raises:
        RefusedError: If there is none.
    """
    content = call.hub.objects.get(oid)
    if content is not None:
        return large_file(content)
    xet = call.hub.xet.find(oid) if call.hub.xet else None
    if xet is None:
        raise RefusedError(400, "BadRequest", f"no object has the hash {oid}")
    return chunked_file(xet, oid, size)
