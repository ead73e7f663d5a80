"""The files of a revision as the Hub lists and serves them."""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.hub.call import Call, RefusedError, Reply
from tests.hub.repositories import DATE
from tests.hub.store import StoredFile, git_oid


def folder_entry(path: str) -> dict[str, Any]:
    return {"type": "directory", "oid": git_oid(path.encode()), "size": 0, "path": path}


def file_entry(path: str, file: StoredFile, *, expand: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": file.oid, "size": file.size, "path": path}
    if file.sha256:
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
    if file.xet:
        entry["xetHash"] = file.xet
    if expand:
        entry["lastCommit"] = {"id": "0" * 40, "title": "", "date": DATE}
    return entry


def entries_below(call: Call, below: str, *, recursive: bool) -> list[dict[str, Any]]:
    """List the entries of a folder; each subfolder once, before its own entries."""
    expand = call.query.get("expand", "").lower() == "true"
    listed: dict[str, dict[str, Any]] = {}
    for path, file in sorted(call.commit().tree.items()):
        if not path.startswith(below):
            continue
        names = path.removeprefix(below).split("/")
        for depth in range(1, len(names)):
            if recursive or depth == 1:
                folder = below + "/".join(names[:depth])
                listed.setdefault(folder, folder_entry(folder))
        if recursive or len(names) == 1:
            listed[path] = file_entry(path, file, expand=expand)
    return list(listed.values())


def tree(call: Call) -> Reply:
    """Return one page of a folder, and the link to the next one."""
    path = call.parts.get("path")
    below = path.rstrip("/") + "/" if path else ""
    recursive = call.query.get("recursive", "").lower() == "true"
    listed = entries_below(call, below, recursive=recursive)
    if path and not listed:
        raise RefusedError(404, "EntryNotFound", f"{path} does not exist")
    start = int(call.query.get("cursor", 0))
    end = start + min(call.hub.page, int(call.query.get("limit", call.hub.page)))
    headers = {}
    if end < len(listed):
        query = urlencode({**call.query, "cursor": end})
        headers["Link"] = f'<{call.hub.url}{call.path}?{query}>; rel="next"'
    return Reply(listed[start:end], headers=headers)


def paths_info(call: Call) -> Reply:
    files = call.commit().tree
    if "json" in call.headers.get("content-type", ""):
        asked, expand = call.json["paths"], bool(call.json.get("expand"))
    else:
        form = parse_qs(call.body.decode())
        asked, expand = form.get("paths", []), form.get("expand") == ["true"]
    listed = []
    for path in asked:
        if path in files:
            listed.append(file_entry(path, files[path], expand=expand))
        elif any(name.startswith(path.rstrip("/") + "/") for name in files):
            listed.append(folder_entry(path.rstrip("/")))
    return Reply(listed)


def resolve(call: Call) -> Reply:
    """Return a file or a part of it, with the headers that the client needs."""
    name, file = call.commit_name(), call.commit().tree.get(call.parts["path"])
    if file is None:
        raise RefusedError(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": name})
    headers = {
        "X-Repo-Commit": name,
        "ETag": f'"{file.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    if file.sha256:
        headers |= {"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(file.size)}
    if file.xet:
        token = f"{call.hub.url}/api/{call.kind}/{call.parts['repo']}/xet-read-token/{name}"
        headers |= {"X-Xet-Hash": file.xet, "Link": f'<{token}>; rel="xet-auth"'}
    return part_of(file.content, call.headers.get("range"), headers)


def part_of(content: bytes, asked: str | None, headers: dict[str, str]) -> Reply:
    """Return the range that a request asks for, or refuse one outside the file."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked or "")
    if not match or match[0] == "bytes=-":
        return Reply(content, headers=headers)
    size = len(content)
    first = int(match[1]) if match[1] else max(0, size - int(match[2]))
    last = min(int(match[2]) if match[1] and match[2] else size - 1, size - 1)
    if first > last:
        return Reply(b"", 416, headers | {"Content-Range": f"bytes */{size}"})
    span = {"Content-Range": f"bytes {first}-{last}/{size}"}
    return Reply(content[first : last + 1], 206, headers | span)


def converted_parquet(call: Call) -> Reply:
    """Return the files that the viewer has converted: none yet."""
    call.repository()
    return Reply({})


def viewer(call: Call) -> Reply:
    """Answer as the viewer's own server, which knows no repository yet."""
    raise RefusedError(404, "ResponseNotFound", "The dataset viewer has no entry for it")
